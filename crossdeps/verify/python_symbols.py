"""The symbols of Python's C API that some Python has and another has not.

Sources: the dynamic symbols that CPython 3.8 to 3.13 export (``nm -D``), as far as their public
headers declare them; for 3.14 and 3.15 "What's New" and ``Misc/stable_abi.toml``. Symbols that all
of these have, and those of internal headers, are not listed: nothing is said about them.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# (first, last) minor version of Python 3 that has the symbols; None: 3.8 or older, 3.13 or later
_SYMBOLS: Mapping[tuple[int | None, int | None], str] = {
    (None, 8): """
        PyAST_Check PyAST_Compile PyAST_mod2obj PyAST_obj2mod PyAsyncGen_ClearFreeLists
        PyCFunction_ClearFreeList PyContext_ClearFreeList PyDict_ClearFreeList PyErr_Warn
        PyFloat_ClearFreeList PyFrame_ClearFreeList PyGen_NeedsFinalizing PyGrammar_AddAccelerators
        PyGrammar_FindDFA PyGrammar_LabelRepr PyGrammar_RemoveAccelerators PyImport_Cleanup
        PyList_ClearFreeList PyMethod_ClearFreeList PySet_ClearFreeList PyTuple_ClearFreeList
        PyUnicode_ClearFreeList
    """,
    (None, 9): """
        PyAST_CompileEx PyAST_CompileObject PyAST_FromNode PyAST_FromNodeObject PyAST_Validate
        PyArena_AddPyObject PyArena_Free PyArena_Malloc PyArena_New PyFuture_FromAST
        PyFuture_FromASTObject PyLong_FromUnicode PyNode_AddChild PyNode_Compile PyNode_Free
        PyNode_ListTree PyNode_New PyOS_InitInterrupts PyParser_ASTFromFile
        PyParser_ASTFromFileObject PyParser_ASTFromString PyParser_ASTFromStringObject
        PyParser_ClearError PyParser_ParseFile PyParser_ParseFileFlags PyParser_ParseFileFlagsEx
        PyParser_ParseFileObject PyParser_ParseString PyParser_ParseStringFlags
        PyParser_ParseStringFlagsFilename PyParser_ParseStringFlagsFilenameEx
        PyParser_ParseStringObject PyParser_SetError PyParser_SimpleParseFile
        PyParser_SimpleParseFileFlags PyParser_SimpleParseString PyParser_SimpleParseStringFlags
        PyParser_SimpleParseStringFlagsFilename PySTEntry_Type PyST_GetScope PySymtable_Build
        PySymtable_BuildObject PySymtable_Free PyUnicode_AsUnicodeCopy PyUnicode_GetMax
        Py_SymtableString Py_SymtableStringObject Py_UNICODE_strcat Py_UNICODE_strchr
        Py_UNICODE_strcmp Py_UNICODE_strcpy Py_UNICODE_strlen Py_UNICODE_strncmp Py_UNICODE_strncpy
        Py_UNICODE_strrchr
    """,
    (None, 10): """
        PyFrame_BlockPop PyFrame_BlockSetup PyUnicodeEncodeError_Create
        PyUnicodeTranslateError_Create PyUnicode_Encode PyUnicode_EncodeASCII
        PyUnicode_EncodeCharmap PyUnicode_EncodeDecimal PyUnicode_EncodeLatin1
        PyUnicode_EncodeRawUnicodeEscape PyUnicode_EncodeUTF16 PyUnicode_EncodeUTF32
        PyUnicode_EncodeUTF7 PyUnicode_EncodeUTF8 PyUnicode_EncodeUnicodeEscape
        PyUnicode_TransformDecimalToASCII PyUnicode_TranslateCharmap _PyComplex_FormatAdvancedWriter
        _PyEval_CallTracing _PyEval_GetAsyncGenFinalizer _PyEval_GetAsyncGenFirstiter
        _PyEval_GetCoroutineOriginTrackingDepth _PyEval_SetAsyncGenFinalizer
        _PyEval_SetAsyncGenFirstiter _PyEval_SetCoroutineOriginTrackingDepth _PyFloat_Pack2
        _PyFloat_Pack4 _PyFloat_Pack8 _PyFloat_Unpack2 _PyFloat_Unpack4 _PyFloat_Unpack8
        _PyFrame_DebugMallocStats _PyImport_FindExtensionObject _PyObject_GC_Calloc
        _PyObject_GC_Malloc _PySys_GetObjectId _PySys_SetObjectId _PyTime_AsTimeval_noraise
        _PyTrash_deposit_object _PyTrash_destroy_chain _Py_get_387controlword _Py_set_387controlword
    """,
    (None, 11): """
        PyCode_New PyCode_NewWithPosOnlyArgs PyToken_OneChar PyToken_ThreeChars PyToken_TwoChars
        PyUnicode_AsUnicode PyUnicode_AsUnicodeAndSize PyUnicode_FromUnicode _PyCode_GetExtra
        _PyCode_SetExtra _PyErr_TrySetFromCause _PyEval_RequestCodeExtraIndex _PyUnicode_AsUnicode
        _PyUnicode_Ready _Py_GetAllocatedBlocks _Py_PackageContext _Py_dg_infinity _Py_dg_stdnan
        _Py_tracemalloc_config
    """,
    (None, 12): """
        PySymtable_Lookup Py_SetStandardStreamEncoding _PyArg_ParseStackAndKeywords_SizeT
        _PyArg_ParseStack_SizeT _PyArg_ParseTupleAndKeywordsFast_SizeT _PyArg_UnpackStack
        _PyArg_VaParseTupleAndKeywordsFast _PyArg_VaParseTupleAndKeywordsFast_SizeT
        _PyAsyncGenAThrow_Type _PyAsyncGenWrappedValue_Type _PyBytes_FormatEx _PyBytes_FromHex
        _PyCodecInfo_GetIncrementalDecoder _PyCodecInfo_GetIncrementalEncoder _PyCodec_DecodeText
        _PyCodec_EncodeText _PyCodec_Lookup _PyCodec_LookupTextEncoding _PyCoroWrapper_Type
        _PyDebugAllocatorStats _PyDictView_Intersect _PyDictView_New _PyDict_DebugMallocStats
        _PyDict_DelItemId _PyDict_GetItemIdWithError _PyDict_HasOnlyStringKeys _PyDict_MaybeUntrack
        _PyDict_Next _PyDict_SetItemId _PyErr_ChainExceptions _PyErr_CheckSignals
        _PyErr_GetTopmostException _PyErr_WriteUnraisableMsg _PyEval_GetBuiltinId
        _PyEval_GetSwitchInterval _PyEval_SetSwitchInterval _PyFloat_DebugMallocStats
        _PyFloat_FormatAdvancedWriter _PyFunction_Vectorcall _PyGILState_GetInterpreterStateUnsafe
        _PyGen_Finalize _PyImport_AcquireLock _PyImport_FixupBuiltin _PyImport_FixupExtensionObject
        _PyImport_GetModuleId _PyImport_IsInitialized _PyImport_ReleaseLock
        _PyImport_SetModuleString _PyInterpreterID_LookUp _PyInterpreterID_New _PyInterpreterID_Type
        _PyInterpreterState_GetMainModule _PyList_DebugMallocStats _PyLong_AsInt
        _PyLong_FormatAdvancedWriter _PyLong_FormatBytesWriter _PyLong_FormatWriter
        _PyLong_FromBytes _PyManagedBuffer_Type _PyMem_RawStrdup _PyMem_RawWcsdup
        _PyMem_SetupAllocators _PyMethodWrapper_Type _PyModuleSpec_IsInitializing _PyModule_Clear
        _PyModule_ClearDict _PyModule_CreateInitialized _PyNamespace_Type _PyOS_URandom
        _PyObject_CallMethodIdObjArgs _PyObject_CallMethodId_SizeT _PyObject_Call_Prepend
        _PyObject_CheckConsistency _PyObject_DebugTypeStats _PyObject_HasLen _PyObject_IsAbstract
        _PyObject_LookupAttr _PyObject_LookupAttrId _PyObject_NextNotImplemented
        _PyObject_RealIsInstance _PyObject_RealIsSubclass _PyObject_SetAttrId
        _PySequence_BytesToCharpArray _PySequence_IterSearch _PyThreadState_UncheckedGet
        _PyTime_AsNanosecondsObject _PyTime_AsSecondsDouble _PyTime_FromNanoseconds
        _PyTime_FromNanosecondsObject _PyTime_FromTimespec _PyTime_FromTimeval
        _PyTime_GetMonotonicClock _PyTime_GetMonotonicClockWithInfo _PyTime_GetPerfCounter
        _PyTime_GetPerfCounterWithInfo _PyTime_GetSystemClock _PyTime_GetSystemClockWithInfo
        _PyTime_MulDiv _PyTraceMalloc_Init _PyTuple_DebugMallocStats _PyTuple_MaybeUntrack
        _PyType_CalculateMetaclass _PyType_GetDocFromInternalDoc
        _PyType_GetTextSignatureFromInternalDoc _PyType_LookupId _PyUnicodeTranslateError_Create
        _PyUnicode_AsASCIIString _PyUnicode_AsLatin1String _PyUnicode_EQ _PyUnicode_EncodeCharmap
        _PyUnicode_EncodeUTF7 _PyUnicode_EqualToASCIIId _PyUnicode_FastCopyCharacters
        _PyUnicode_FastFill _PyUnicode_FindMaxChar _PyUnicode_FormatAdvancedWriter
        _PyUnicode_FormatLong _PyUnicode_FromASCII _PyUnicode_InsertThousandsGrouping
        _PyUnicode_IsCaseIgnorable _PyUnicode_IsCased _PyUnicode_IsXidContinue _PyUnicode_IsXidStart
        _PyUnicode_ToFoldedFull _PyUnicode_ToLowerFull _PyUnicode_ToTitleFull _PyUnicode_ToUpperFull
        _PyUnicode_XStrip _PyWeakref_GetWeakrefCount _Py_CoerceLegacyLocale _Py_EncodeLocaleRaw
        _Py_FreeCharPArray _Py_HashPointer _Py_IsCoreInitialized _Py_IsFinalizing
        _Py_LegacyLocaleDetected _Py_SetProgramFullPath _Py_SourceAsString _Py_VaBuildStack
        _Py_VaBuildStack_SizeT _Py_add_one_to_index_C _Py_add_one_to_index_F _Py_device_encoding
        _Py_dg_dtoa _Py_dg_freedtoa _Py_dg_strtod _Py_get_blocking _Py_get_inheritable
        _Py_gitidentifier _Py_gitversion _Py_parse_inf_or_nan _Py_read _Py_set_blocking
        _Py_strhex_bytes _Py_strhex_with_sep _Py_string_to_number_with_underscores _Py_wfopen
        _Py_wgetcwd _Py_wreadlink _Py_wrealpath
    """,
    (9, 10): """
        _Py_abspath _Py_isabs
    """,
    (9, 11): """
        _Py_NewInterpreter
    """,
    (9, 12): """
        _PyArg_NoKwnames _PyErr_GetExcInfo _PyEval_SetTrace _PyInterpreterState_GetConfig
        _PyThread_at_fork_reinit _PyTrash_begin _PyTrash_end
        _PyUnicode_DecodeRawUnicodeEscapeStateful _PyUnicode_DecodeUnicodeEscapeStateful
        _Py_FatalErrorFormat _Py_HashPointerRaw
    """,
    (9, None): """
        PyBuffer_SizeFromFormat PyCMethod_New PyCMethod_Type PyFrame_GetBack PyFrame_GetCode
        PyInterpreterState_Get PyModule_AddType PyObject_CallNoArgs PyObject_CheckBuffer
        PyObject_GC_IsFinalized PyObject_GC_IsTracked PyObject_GET_WEAKREFS_LISTPTR PyObject_IS_GC
        PyObject_VectorcallDict PyObject_VectorcallMethod PyThreadState_GetFrame PyThreadState_GetID
        PyThreadState_GetInterpreter PyType_FromModuleAndSpec PyType_GetModule PyType_GetModuleState
        Py_EnterRecursiveCall Py_GenericAlias Py_GenericAliasType Py_LeaveRecursiveCall
        _PyEval_SetProfile _PyInterpreterState_GetEvalFrameFunc _PyInterpreterState_SetEvalFrameFunc
        _PyObject_FunctionStr _PyThreadState_GetDict _PyUnicode_DecodeUnicodeEscapeInternal
        _PyUnicode_ScanIdentifier _Py_FatalErrorFunc _Py_GetConfig _Py_NewReference
    """,
    (10, 10): """
        _PyType_GetModuleByDef
    """,
    (10, 12): """
        _PyDict_ContainsId _PyDict_Contains_KnownHash _PyRun_AnyFileObject
        _PyRun_InteractiveLoopObject _PyRun_SimpleFileObject _PyThread_CurrentExceptions
        _PyTrash_cond _PyUnicode_WideCharString_Converter _PyUnicode_WideCharString_Opt_Converter
        _Py_FdIsInteractive _Py_GetLocaleEncoding
    """,
    (10, None): """
        PyAIter_Check PyCodec_Unregister PyDescr_IsData PyErr_RangedSyntaxLocationObject
        PyErr_SetInterruptEx PyExc_EncodingWarning PyGC_Disable PyGC_Enable PyGC_IsEnabled
        PyIter_Send PyModule_AddObjectRef PyObject_GetAIter Py_Is Py_IsFalse Py_IsNone Py_IsTrue
        Py_NewRef Py_XNewRef _PyErr_ProgramDecodedTextObject _PyImport_GetModuleAttr
        _PyImport_GetModuleAttrString _PyInterpreterState_GetConfigCopy
        _PyInterpreterState_SetConfig _PyLong_FileDescriptor_Converter _PyNumber_Index _Py_DecRef
        _Py_IncRef
    """,
    (11, 12): """
        _PyDict_GetItemWithError _PyErr_GetHandledException _PyErr_SetHandledException _PyModule_Add
        _PyObject_FastCall _PyObject_LookupSpecialId _PyTime_Add _PyTime_AsNanoseconds
    """,
    (11, None): """
        PyCode_Addr2Location PyCode_GetCellvars PyCode_GetCode PyCode_GetFreevars PyCode_GetVarnames
        PyErr_GetHandledException PyErr_SetHandledException PyExc_BaseExceptionGroup PyFloat_Pack2
        PyFloat_Pack4 PyFloat_Pack8 PyFloat_Unpack2 PyFloat_Unpack4 PyFloat_Unpack8
        PyFrame_GetBuiltins PyFrame_GetGenerator PyFrame_GetGlobals PyFrame_GetLasti
        PyFrame_GetLocals PyObject_CallOneArg PyObject_Vectorcall PyThreadState_EnterTracing
        PyThreadState_LeaveTracing PyType_GetModuleByDef PyType_GetName PyType_GetQualName
        PyType_SUPPORTS_WEAKREFS PyVectorcall_Function Py_GETENV Py_Version
        _PyArg_UnpackKeywordsWithVararg _PyDeadline_Get _PyDeadline_Init _PyEval_GetBuiltin
        _PyFrame_IsEntryFrame _PyObject_CallMethod _PyObject_GetState _PySys_GetAttr
        _PyTime_AsTimespec_clamp _PyTime_AsTimeval_clamp _PyUnicode_Equal
        _Py_UniversalNewlineFgetsWithSize
    """,
    (12, 12): """
        _PyException_AddNote _PyInterpreterState_HasFeature _PyObject_ClearManagedDict
        _PyObject_VisitManagedDict _PyTime_FromMicrosecondsClamp _PyTraceMalloc_ClearTraces
        _PyTraceMalloc_GetMemory _PyTraceMalloc_GetObjectTraceback _PyTraceMalloc_GetTracebackLimit
        _PyTraceMalloc_GetTracedMemory _PyTraceMalloc_GetTraces _PyTraceMalloc_IsTracing
        _PyTraceMalloc_ResetPeak _PyTraceMalloc_Start _PyTraceMalloc_Stop _Py_AtExit
    """,
    (12, None): """
        PyCode_AddWatcher PyCode_ClearWatcher PyDict_AddWatcher PyDict_ClearWatcher PyDict_Unwatch
        PyDict_Watch PyErr_DisplayException PyErr_GetRaisedException PyErr_SetRaisedException
        PyEval_SetProfileAllThreads PyEval_SetTraceAllThreads PyException_GetArgs
        PyException_SetArgs PyFrame_GetVar PyFrame_GetVarString PyFunction_AddWatcher
        PyFunction_ClearWatcher PyFunction_SetVectorcall PyGen_GetCode PyObject_GetItemData
        PyObject_GetTypeData PyType_AddWatcher PyType_ClearWatcher PyType_FromMetaclass
        PyType_GetDict PyType_GetTypeDataSize PyType_Unwatch PyType_Watch PyUnstable_Code_GetExtra
        PyUnstable_Code_New PyUnstable_Code_NewWithPosOnlyArgs PyUnstable_Code_SetExtra
        PyUnstable_Eval_RequestCodeExtraIndex PyUnstable_Exc_PrepReraiseStar
        PyUnstable_GC_VisitObjects PyUnstable_InterpreterFrame_GetCode
        PyUnstable_InterpreterFrame_GetLasti PyUnstable_InterpreterFrame_GetLine
        PyUnstable_Long_CompactValue PyUnstable_Long_IsCompact PyUnstable_Object_GC_NewWithExtraData
        PyUnstable_PerfMapState_Fini PyUnstable_PerfMapState_Init PyUnstable_Type_AssignVersionTag
        PyUnstable_WritePerfMapEntry PyVectorcall_NARGS Py_NewInterpreterFromConfig
        _PyCrossInterpreterData_Clear _PyCrossInterpreterData_Init
        _PyCrossInterpreterData_InitWithSize _PyCrossInterpreterData_UnregisterClass
        _PyErr_ChainExceptions1 _PyErr_SetFromPyStatus _PyEval_MakePendingCalls _PyLong_FromDigits
        _PyThreadState_New _Py_IsInterpreterFinalizing _Py_NewReferenceNoTotal
    """,
    (13, None): """
        PyCriticalSection2_Begin PyCriticalSection2_End PyCriticalSection_Begin
        PyCriticalSection_End PyDict_ContainsString PyDict_GetItemRef PyDict_GetItemStringRef
        PyDict_Pop PyDict_PopString PyDict_SetDefaultRef PyErr_FormatUnraisable
        PyEval_GetFrameBuiltins PyEval_GetFrameGlobals PyEval_GetFrameLocals
        PyExc_PythonFinalizationError PyFrameLocalsProxy_Type PyImport_AddModuleRef PyList_Clear
        PyList_Extend PyList_GetItemRef PyLong_AsInt PyLong_AsNativeBytes PyLong_FromNativeBytes
        PyLong_FromUnsignedNativeBytes PyMapping_GetOptionalItem PyMapping_GetOptionalItemString
        PyMapping_HasKeyStringWithError PyMapping_HasKeyWithError PyModule_Add
        PyMonitoring_EnterScope PyMonitoring_ExitScope PyMutex_Lock PyMutex_Unlock
        PyObject_ClearManagedDict PyObject_DelAttr PyObject_DelAttrString PyObject_GenericHash
        PyObject_GetOptionalAttr PyObject_GetOptionalAttrString PyObject_HasAttrStringWithError
        PyObject_HasAttrWithError PyObject_VisitManagedDict PyRefTracer_GetTracer
        PyRefTracer_SetTracer PySys_AuditTuple PyThreadState_GetUnchecked PyTime_AsSecondsDouble
        PyTime_Monotonic PyTime_MonotonicRaw PyTime_PerfCounter PyTime_PerfCounterRaw PyTime_Time
        PyTime_TimeRaw PyType_GetFullyQualifiedName PyType_GetModuleName PyUnicode_EqualToUTF8
        PyUnicode_EqualToUTF8AndSize PyUnstable_AtExit PyUnstable_CopyPerfMapFile
        PyUnstable_ExecutableKinds PyUnstable_InterpreterState_GetMainModule
        PyUnstable_Object_ClearWeakRefsNoCallbacks PyUnstable_PerfTrampoline_CompileCode
        PyUnstable_PerfTrampoline_SetPersistAfterFork PyWeakref_GetRef Py_GetConstant
        Py_GetConstantBorrowed Py_HashPointer Py_IsFinalizing _PyCriticalSection_Resume
        _PyMonitoring_FireBranchEvent _PyMonitoring_FireCRaiseEvent _PyMonitoring_FireCReturnEvent
        _PyMonitoring_FireCallEvent _PyMonitoring_FireExceptionHandledEvent
        _PyMonitoring_FireJumpEvent _PyMonitoring_FireLineEvent _PyMonitoring_FirePyResumeEvent
        _PyMonitoring_FirePyReturnEvent _PyMonitoring_FirePyStartEvent
        _PyMonitoring_FirePyThrowEvent _PyMonitoring_FirePyUnwindEvent
        _PyMonitoring_FirePyYieldEvent _PyMonitoring_FireRaiseEvent _PyMonitoring_FireReraiseEvent
        _PyMonitoring_FireStopIterationEvent _PyObject_SetManagedDict _PyType_LookupRef
        _Py_ResurrectReference _Py_SetRefcnt
    """,
    (14, None): """
        PyBytes_Join PyConfig_Get PyConfig_GetInt PyConfig_Names PyConfig_Set
        PyImport_ImportModuleAttr PyImport_ImportModuleAttrString PyInitConfig_AddModule
        PyInitConfig_Create PyInitConfig_Free PyInitConfig_FreeStrList PyInitConfig_GetError
        PyInitConfig_GetExitCode PyInitConfig_GetInt PyInitConfig_GetStr PyInitConfig_GetStrList
        PyInitConfig_HasOption PyInitConfig_SetInt PyInitConfig_SetStr PyInitConfig_SetStrList
        PyIter_NextItem PyLongWriter_Create PyLongWriter_Discard PyLongWriter_Finish PyLong_AsInt32
        PyLong_AsInt64 PyLong_AsUInt32 PyLong_AsUInt64 PyLong_Export PyLong_FreeExport
        PyLong_FromInt32 PyLong_FromInt64 PyLong_FromUInt32 PyLong_FromUInt64 PyLong_GetNativeLayout
        PyLong_GetSign PyLong_IsNegative PyLong_IsPositive PyLong_IsZero PyType_Freeze
        PyType_GetBaseByToken PyUnicodeWriter_Create PyUnicodeWriter_DecodeUTF8Stateful
        PyUnicodeWriter_Discard PyUnicodeWriter_Finish PyUnicodeWriter_Format
        PyUnicodeWriter_WriteASCII PyUnicodeWriter_WriteChar PyUnicodeWriter_WriteRepr
        PyUnicodeWriter_WriteStr PyUnicodeWriter_WriteSubstring PyUnicodeWriter_WriteUCS4
        PyUnicodeWriter_WriteUTF8 PyUnicodeWriter_WriteWideChar PyUnicode_Equal
        PyUnstable_EnableTryIncRef PyUnstable_IsImmortal PyUnstable_Object_EnableDeferredRefcount
        PyUnstable_Object_IsUniqueReferencedTemporary PyUnstable_Object_IsUniquelyReferenced
        PyUnstable_TryIncRef Py_HashBuffer Py_PACK_FULL_VERSION Py_PACK_VERSION Py_REFCNT Py_TYPE
        Py_fopen
    """,
    (15, None): """
        PyABIInfo_Check PyModule_Exec PyModule_FromSlotsAndSpec PyModule_GetStateSize
        PyModule_GetToken PySys_GetAttr PySys_GetAttrString PySys_GetOptionalAttr
        PySys_GetOptionalAttrString PyType_GetModuleByToken Py_IS_TYPE Py_SET_SIZE Py_SIZE
    """,
}


@functools.cache
def find_absent_symbols(minor: int) -> Mapping[str, tuple[int | None, int | None]]:
    """Map each symbol that Python 3.*minor* is known to lack to the minor versions that have it.

    >>> find_absent_symbols(9)["PyModule_AddObjectRef"]
    (10, None)
    """
    return {
        symbol: (first, last)
        for (first, last), symbols in _SYMBOLS.items()
        if minor < (first or 0) or minor > (last or minor)
        for symbol in symbols.split()
    }
