"""A mail server on loopback, aiosmtpd: python3 server.py FOLDER MODE.

MODE: starttls, tls or none. Logs users in as audit/right. Refuses recipients
named 'nobody'. Prints its port; each mail it takes becomes FOLDER/N.eml.
"""
import asyncio
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

folder, mode = pathlib.Path(sys.argv[1]), sys.argv[2]


class Handler:
    taken = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.taken += 1
        (folder / f"{self.taken}.eml").write_bytes(envelope.original_content)
        (folder / "recipients").write_text(" ".join(envelope.rcpt_tos))
        return "250 OK"


def login(server, session, envelope, mechanism, data):
    right = (data.login, data.password) == (b"audit", b"right")
    # What is not handled here, aiosmtpd answers: 535.
    return AuthResult(success=right, handled=right)


async def main():
    context = None
    if mode != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
    handler = Handler()

    def session():
        return SMTP(
            handler,
            hostname="localhost",
            authenticator=login,
            auth_required=mode != "none",
            auth_require_tls=mode == "starttls",
            tls_context=context if mode == "starttls" else None,
            require_starttls=mode == "starttls",
        )

    server = await asyncio.get_running_loop().create_server(
        session, "127.0.0.1", 0, ssl=context if mode == "tls" else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
