import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { beginAnswer, type Heard, hear, placeOf, requestOf } from "../../../hosts/shared/http.js";

const ascii = new TextEncoder();

/** What is heard of an answer that comes in pieces of this length. */
function heardOf(
  bytes: Uint8Array,
  bytesMax: number,
  piece: number,
): { readonly body: Uint8Array; readonly last: Heard } {
  const answer = beginAnswer(bytesMax);
  const body: number[] = [];
  let last: Heard = { kind: "more" };
  for (let at = 0; at < bytes.length; at += piece) {
    const heard = hear(answer, bytes.subarray(at, at + piece));
    if (heard.kind === "body") body.push(...heard.bytes);
    if (heard.kind !== "more") last = heard;
  }
  return { body: Uint8Array.from(body), last };
}

test("gives the body of an answer however it is cut, and nothing behind it", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 1, max: 400 }),
      fc.uint8Array({ maxLength: 20 }),
      (body, piece, more) => {
        const head = ascii.encode(`HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH: ${body.length}\r\nX-Y:\r\n\r\n`);
        const heard = heardOf(Buffer.concat([head, body, more]), 300, piece);
        assert.deepEqual(heard.body, Uint8Array.from(body));
        assert.deepEqual([heard.last.kind, "last" in heard.last && heard.last.last], ["body", true]);
      },
    ),
  );
});

test("never throws and never holds more than a head, whatever a server sends", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 9000 }),
      fc.integer({ min: 1, max: 999 }),
      fc.boolean(),
      (bytes, piece, polite) => {
        const answer = beginAnswer(100);
        if (polite) hear(answer, ascii.encode("HTTP/1.1 200 OK\r\n"));
        let length = 0;
        for (let at = 0; at < bytes.length; at += piece) {
          const heard = hear(answer, bytes.subarray(at, at + piece));
          if (heard.kind === "body") length += heard.bytes.length;
          assert.ok(answer.head.length <= 4096 && length <= 100);
        }
      },
    ),
  );
});

for (const [answer, reason] of [
  ["HTTP/1.1 404 Not Found\r\n\r\n", "the server answers 404"],
  ["HTTP/1.1 301 Moved\r\nLocation: x\r\nContent-Length: 0\r\n\r\n", "the server answers 301"],
  ["HTTP/1.1 200 OK\r\n\r\n", "the server announces no length"],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "the server uses a transfer coding"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "the server's Content-Length cannot be read"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n\r\n", "the server's Content-Length cannot be read"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", "the server announces 101 bytes, 100 are taken"],
  ["SSH-2.0-OpenSSH\r\n\r\n", "the server does not speak HTTP/1.1"],
  [`HTTP/1.1 200 OK\r\nX: ${"y".repeat(5000)}\r\n\r\n`, "the head has more than 4096 bytes"],
] as const) {
  test(`refuses an answer: ${reason}`, () => {
    assert.deepEqual(heardOf(ascii.encode(answer), 100, 11).last, { kind: "failed", reason });
  });
}

test("takes URLs apart, and refuses what would change the request", () => {
  assert.deepEqual(placeOf("https://a.example/x/y.cose"), {
    secure: true,
    host: "a.example",
    port: 443,
    path: "/x/y.cose",
  });
  assert.deepEqual(placeOf("http://10.0.0.1:8080"), { secure: false, host: "10.0.0.1", port: 8080, path: "/" });
  for (const url of [
    "ftp://a/b",
    "http:///b",
    "http://a:0/b",
    "http://a:70000/b",
    "http://a b/c",
    "http://a/b\r\nX: y",
    "http://a/b c",
  ])
    assert.equal(placeOf(url), undefined, url);
  assert.equal(
    requestOf(placeOf("http://a:81/b")!),
    "GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept-Encoding: identity\r\n\r\n",
  );
});
