"""An SMTP server that accepts every mail and keeps none: `python -m benchmarks.sink` prints its
port and serves until it is ended.

A server that looked at its mails would be part of what is measured: aiosmtpd, which the tests use,
needs several times as long for each.
"""

import asyncio

END_OF_MAIL = b"\r\n.\r\n"
LARGEST_MAIL = 16 * 1024 * 1024


async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say yes to everything on one connection."""
    writer.write(b"220 sink\r\n")
    while command := await reader.readline():
        match command[:4].upper():
            case b"DATA":
                writer.write(b"354 Go on\r\n")
                await reader.readuntil(END_OF_MAIL)
                writer.write(b"250 Taken\r\n")
            case b"QUIT":
                writer.write(b"221 Bye\r\n")
                break
            case _:
                writer.write(b"250 Yes\r\n")
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=LARGEST_MAIL)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
