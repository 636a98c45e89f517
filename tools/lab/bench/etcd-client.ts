// etcd's key-value API as far as a benchmark needs it: Put over gRPC (HTTP/2), which costs the
// server less than its JSON gateway.

import { type ClientHttp2Session, connect, constants } from "node:http2";
import { ANSWER_MAX_MS, type PeerConnection } from "./peer-connection.js";

/** A gRPC message's prefix: not compressed, length in four bytes. */
const GRPC_PREFIX_BYTES = 5;
const headers = {
  [constants.HTTP2_HEADER_METHOD]: "POST",
  [constants.HTTP2_HEADER_PATH]: "/etcdserverpb.KV/Put",
  [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
  [constants.HTTP2_HEADER_TE]: "trailers",
};

export async function openEtcd(port: number): Promise<PeerConnection> {
  const session = connect(`http://127.0.0.1:${port}`);
  await new Promise((resolve, reject) => {
    session.once("connect", resolve);
    session.once("error", reject);
  });
  return {
    store: (key, bytes) => put(session, encodePutRequest(Buffer.from(key), bytes)),
    close: () => session.close(),
  };
}

function put(session: ClientHttp2Session, message: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers);
    let status: string | undefined;
    stream.on("trailers", (trailers) => {
      status = String(trailers["grpc-status"]);
    });
    let late = false;
    stream.setTimeout(ANSWER_MAX_MS, () => {
      late = true;
      stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.on("error", reject);
    stream.on("close", () => {
      if (status === "0" || late) resolve(!late);
      else reject(new Error(`etcd answered with gRPC status ${status}`));
    });
    stream.resume();
    stream.end(message);
  });
}

/** PutRequest { bytes key = 1; bytes value = 2 } with its gRPC prefix. */
export function encodePutRequest(key: Uint8Array, value: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.of(0x0a), varint(key.length), key, Buffer.of(0x12), varint(value.length), value]);
  const prefix = Buffer.alloc(GRPC_PREFIX_BYTES);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

/** Seven bits a byte, the low ones first (Protocol Buffers encoding). */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
