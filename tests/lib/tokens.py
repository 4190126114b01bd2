"""Tokens and assertions of every kind, right ones and wrong ones, signed with the stack's own keys or others."""

import base64
import hashlib
import hmac
import json
import time
import uuid

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from isms_client import stack

ISSUER, AUDIENCE = "https://id.demo.example", "isms-review"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def private_key(name):
    return serialization.load_pem_private_key((stack().folder / "keys" / f"{name}.pem").read_bytes(), None)


def public_forms(name):
    """A key's public half in every form that somebody may take for a shared secret."""
    public = private_key(name).public_key()
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {"raw": raw, "pem": pem, "pem without line end": pem.strip(), "der": der,
            "base64url": base64url(raw).encode()}


def stranger_key():
    return ed25519.Ed25519PrivateKey.generate()


def signed(header, claims, key):
    """A compact JWS; key: a private key, bytes for HMAC-SHA-256, None for no signature."""
    text = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    if key is None:
        signature = b""
    elif isinstance(key, bytes):
        signature = hmac.new(key, text.encode(), hashlib.sha256).digest()
    else:
        signature = key.sign(text.encode())
    return f"{text}.{base64url(signature)}"


def token(subject, tenant, key="oidc", header=None, **claims):
    """An access token as the demo's identity provider makes it, but for what is given; a claim of None is left out."""
    now = int(time.time())
    body = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "tenant_id": tenant, "iat": now, "nbf": now,
            "exp": now + 600,
            "auth_time": now, "acr": "2", **claims}
    return signed({"alg": "EdDSA", "typ": "at+jwt", "kid": "demo", **(header or {})},
                  {name: value for name, value in body.items() if value is not None},
                  private_key(key) if isinstance(key, str) else key)


def assertion(method, tenant, actor, service="reporting", key=None, header=None, **claims):
    """What one service sends another on behalf of a member, but for what is given."""
    now = int(time.time())
    body = {"iat": now, "exp": now + 30, "rev": 1, "job": False, "iss": service, "aud": method.service,
            "method": method.path,
            "tenant": tenant, "actor": actor, "scope": "all", "request_id": str(uuid.uuid4()), "jti": str(uuid.uuid4()),
            "roles": ["ISMS_MANAGER"], **claims}
    return signed({"alg": "EdDSA", "typ": "isms-assertion+jwt", "kid": service, **(header or {})},
                  {name: value for name, value in body.items() if value is not None}, key or private_key(service))
