"""A Lambda function that encrypts a text with AES, in the native code of pycryptodome.

Invoked with ``{"text": "..."}`` it answers ``{"ciphertext": "<hex>"}``: AES-128 in ECB mode with
the padding of PKCS #7. A real function takes its key from a secret store, and a mode that
authenticates, such as GCM; here the answer has to be the same each time, so that it can be checked.
"""

from Crypto.Cipher import AES
from Crypto.Util.Padding import pad

DEMO_KEY = bytes(range(16))


def handler(event, context):
    """Encrypt ``event["text"]`` and return it in hex."""
    cipher = AES.new(DEMO_KEY, AES.MODE_ECB)
    return {"ciphertext": cipher.encrypt(pad(event["text"].encode(), AES.block_size)).hex()}
