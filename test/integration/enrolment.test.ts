// docs/enrolment.md, typed line by line on a fresh machine: by files, and by HTTPS with a certificate of openssl's making; what strangers
// try at the service; and that no code, key or passphrase, nor a name in the service's log, stands anywhere that others read.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../node/ingest/mosquitto.js";
import {
  cleanUp,
  type Defer,
  gridseal,
  type Outcome,
  program,
  type Running,
  start,
  temporaryFolder,
  until,
} from "./processes.js";

const run = promisify(execFile);
const page = await readFile(fileURLToPath(new URL("../../docs/enrolment.md", import.meta.url)), "utf8");
/** The commands of the page in their order. */
const lines = [...page.matchAll(/^ {4}(gridseal .+)$/gm)].map(([, line]) => line!);
const PASSPHRASE = "planted-passphrase-of-left";

test("the page leads from a one-time code to a participant's folder, by files and by HTTPS", {
  timeout: 240_000,
}, async (t) => {
  const defer = cleanUp(t);
  const folder = await temporaryFolder(defer);
  const made = await gridseal("init", join(folder, "grid"), "--network", "street", "--nodes", "1", "--meters", "0");
  assert.equal(made.status, 0, made.errors);
  const { type, good, said } = typistIn(folder, defer);
  const next = () => lines.shift() ?? assert.fail("the page has no more commands");
  const codes: string[] = [];
  const codeOf = (output: string): string => {
    said.splice(said.indexOf(output), 1); // it is shown this once
    const code = /^code +([0-9A-Z-]{29})$/m.exec(output)![1]!;
    codes.push(code);
    return code;
  };

  const hex = /public key +([0-9a-f]+)/.exec(await good(next(), PASSPHRASE))![1]!;
  await good(next().replace("HEX", hex));
  const makeCode = next();
  const [first, second] = [codeOf(await good(makeCode)), codeOf(await good(makeCode))];

  await t.test("by files", async () => {
    const mistyped = await type(
      lines[0]!,
      first.replace(/.$/, (last) => (last === "7" ? "8" : "7")),
    );
    assert.equal(mistyped.status, 2);
    assert.match(mistyped.errors, /code is mistyped/);
    await good(next(), first);
    assert.match(await good(next()), /waits for 1 approval,/);
    const key = /^([0-9a-f]{16}) +waiting +1 +Werk Nord/m.exec(await good(next()))![1]!;
    const shown = await good(next().replace("KEY", key));
    assert.match(shown, /eic +10X1001A1001A450/);
    assert.match(shown, /contact +anna@werk\.example/);
    assert.match(await good(next().replace("KEY", key), PASSPHRASE), /is participant p-[0-9a-f]{10}/);
    assert.match(await good(next()), /you are p-[0-9a-f]{10}: anna\n.*you are your key: [0-9a-f]{16}\n/);
    assert.deepEqual((await readdir(join(folder, "anna"))).sort(), ["credential.cbor", "genesis.cbor", "key.json"]);
    await good("gridseal session token https://localhost:1 --as anna");
    assert.match(await good(`gridseal authority show 10X1001A1001A450 --network grid`), /name +Werk Nord/);
    assert.match(await good("gridseal authority code list --network grid"), /^[0-9A-Z]{4} +used/m);
  });

  const tls = await opensslIdentity(folder);
  const port = await freePort();
  const at = (line: string) => line.replace("8443", String(port));
  const service = await startService(defer, folder, at(next()));

  await t.test("by HTTPS, waiting until it is approved", async () => {
    await good(next(), second);
    const send = at(next());
    assert.match(await good(send), /waits for 1 approval of the authority/);
    const waiting = JSON.parse(await good("gridseal authority enrolment list --state waiting --network grid --json"));
    const { key } = waiting as { key: string };
    await good(
      `gridseal authority enrolment approve ${key} --key left.json --passphrase-fd 3 --network grid`,
      PASSPHRASE,
    );
    assert.match(await good(send), /you are p-[0-9a-f]{10}: bert/);
    assert.match(await readFile(join(folder, "bert/key.json"), "utf8"), /"ESP256"/);
    assert.match(await good("gridseal authority audit --network grid"), /register +good/);
  });

  await t.test(
    "a refused one is told why, and a certificate that nobody vouches for ends it before anything is sent",
    async () => {
      const third = codeOf(await good(makeCode));
      const make = `gridseal enrolment make --name Carla --contact c@example.org --role supplier --jurisdiction DE --genesis grid/genesis.cbor --key carla.json --code-fd 3 -o carla.enrolment`;
      await good(make, third);
      const send = `gridseal enrolment send carla.enrolment --url https://localhost:${port} --genesis grid/genesis.cbor --key carla.json -o carla`;
      const unknown = await type(send);
      assert.equal(unknown.status, 1);
      assert.match(unknown.errors, /does not answer as an enrolment service: self-signed|unable to (get|verify)/);
      const sent = `${send} --ca ca.cert.pem`;
      await good(sent);
      const waiting = JSON.parse(await good("gridseal authority enrolment list --state waiting --network grid --json"));
      const { key } = waiting as { key: string };
      const refuse = `gridseal authority enrolment approve ${key} --key left.json --refuse "no contract" --passphrase-fd 3 --network grid`;
      await good(refuse, PASSPHRASE);
      const told = await type(sent);
      assert.equal(told.status, 1);
      assert.match(told.errors, /Not enrolled: no contract\./);
    },
  );

  await t.test("strangers at the service get short answers", async () => {
    await tryAsStranger(`https://localhost:${port}`, tls.ca, await readFile(join(folder, "bert.enrolment")));
  });

  await t.test(
    "openssl verifies the service's certificate by name, both the one of openssl and the authority's own",
    async () => {
      assert.match(await sClient(port, join(folder, "ca.cert.pem"), "localhost"), /Verification: OK/);
      const own = await freePort();
      const line = `gridseal authority serve --network grid --host localhost --host authority.example --port ${own}`;
      const other = await startService(defer, folder, line);
      const ca = join(folder, "grid/authority/ca.cert.pem");
      assert.match(await sClient(own, ca, "authority.example"), /Verification: OK/);
      assert.match(await sClient(own, ca, "elsewhere.example"), /[Hh]ostname mismatch/);
      assert.equal((await other.stop()).status, 0);
    },
  );

  await t.test("no secret, and in the log no name, stands where others read", async () => {
    const { output, errors, status } = await service.stop();
    assert.equal(status, 0);
    assert.match(output, /"state":"granted"/);
    for (const name of ["Bert", "bert@", "Carla", "Werk Nord"]) assert.ok(!(output + errors).includes(name), name);
    const planted = [...(await secretsIn(folder)), ...codes, ...codes.map((code) => code.replaceAll("-", "").slice(4))];
    const register = await filesIn(join(folder, "grid/authority/register"));
    const sent = await Promise.all(
      ["anna", "bert"].map((name) => readFile(join(folder, `${name}.enrolment`), "latin1")),
    );
    for (const text of [...said, output, errors, ...register, ...sent]) {
      for (const secret of planted) assert.ok(!text.includes(secret));
    }
  });
});

/** Types lines in a shell, with a secret at descriptor 3. */
function typistIn(folder: string, defer: Defer) {
  const said: string[] = [];
  const type = async (line: string, secret = ""): Promise<Outcome> => {
    await writeFile(join(folder, ".typed"), `${secret}\n`, { mode: 0o600 });
    const script = `cd "$1"; ${line.replace(/^gridseal/, '"$2" "$3"')} 3< .typed`;
    const outcome = await start(defer, "bash", ["-c", script, "bash", folder, process.execPath, program]).ended;
    said.push(outcome.output, outcome.errors);
    return outcome;
  };
  const good = async (line: string, secret?: string): Promise<string> => {
    const { status, output, errors } = await type(line, secret);
    assert.equal(status, 0, `${line}: ${errors}`);
    return output;
  };
  return { said, type, good };
}

/** As the line has it, in the folder; started when it listens. */
async function startService(defer: Defer, cwd: string, line: string): Promise<Running> {
  const [, ...parameters] = line.split(" ");
  const running = start(defer, "bash", [
    "-c",
    'cd "$1"; shift; exec "$@"',
    "bash",
    cwd,
    process.execPath,
    program,
    ...parameters,
  ]);
  await until("the service listens", () => running.output.includes("takes enrolments") || !running.isRunning);
  assert.ok(running.isRunning, (await Promise.race([running.ended, undefined]))?.errors);
  return running;
}

async function tryAsStranger(url: string, ca: Buffer, old: Buffer): Promise<void> {
  const ask = (path: string, options: { method?: string; body?: Buffer; type?: string } = {}) =>
    asked(url + path, ca, options);
  assert.equal((await ask("/")).status, 404);
  assert.equal(
    (await ask("/enrolments", { method: "POST", body: Buffer.from("{}"), type: "application/json" })).status,
    415,
  );
  const large = await ask("/enrolments", { method: "POST", body: Buffer.alloc(4_000), type: "application/cose" });
  assert.equal(large.status, 413);
  const stale = await ask("/enrolments", { method: "POST", body: old, type: "application/cose" });
  assert.equal(stale.status, 422);
  assert.match(stale.text, /the nonce is not one that was given/);
  const statuses = new Set<number>();
  for (let count = 0; count < 12; count += 1) {
    statuses.add(
      (await ask("/enrolments", { method: "POST", body: Buffer.alloc(9), type: "application/cose" })).status,
    );
  }
  assert.ok(statuses.has(422) && statuses.has(429), [...statuses].join());
  const plain = await run("curl", ["-s", "-m", "5", url.replace("https", "http")]).catch(
    (error) => error as { code: number },
  );
  assert.notEqual((plain as { code?: number }).code, undefined, "nothing is served without TLS");
}

async function secretsIn(folder: string): Promise<readonly string[]> {
  const keys = await Promise.all(
    ["anna", "bert", "carla"].map((name) => readFile(join(folder, `${name}.json`), "utf8")),
  );
  const secrets = keys.map((text) => {
    const { seed, scalar } = JSON.parse(text) as { seed?: string; scalar?: string };
    return seed ?? scalar!;
  });
  return [...secrets, (await readFile(join(folder, "authority.key.pem"), "utf8")).split("\n")[1]!, PASSPHRASE];
}

/** A certification authority and a certificate for localhost, by openssl. */
async function opensslIdentity(folder: string): Promise<{ readonly ca: Buffer }> {
  const openssl = (...parameters: readonly string[]) => run("openssl", parameters, { cwd: folder });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  await openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "ca.key.pem",
    "-out",
    "ca.cert.pem",
    "-subj",
    "/CN=test",
    "-addext",
    "keyUsage=critical,keyCertSign",
  );
  await openssl(
    ...["req", "-x509", ...key, "-CA", "ca.cert.pem", "-CAkey", "ca.key.pem", "-subj", "/CN=localhost"],
    ...["-keyout", "authority.key.pem", "-out", "authority.cert.pem", "-addext", "subjectAltName=DNS:localhost"],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
  );
  return { ca: await readFile(join(folder, "ca.cert.pem")) };
}

async function sClient(port: number, ca: string, name: string): Promise<string> {
  const parameters = [
    "s_client",
    "-connect",
    `localhost:${port}`,
    "-CAfile",
    ca,
    "-verify_hostname",
    name,
    "-x509_strict",
  ];
  const running = run("openssl", parameters);
  running.child.stdin?.end();
  const { stdout, stderr } = await running.catch((error: { stdout: string; stderr: string }) => error);
  return stdout + stderr;
}

function asked(
  url: string,
  ca: Buffer,
  { method = "GET", body, type }: { readonly method?: string; readonly body?: Buffer; readonly type?: string },
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = type === undefined ? {} : { "content-type": type };
    const asking = request(url, { ca, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode!, text }));
    });
    asking.on("error", reject);
    asking.end(body);
  });
}

async function filesIn(folder: string): Promise<readonly string[]> {
  return Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), "latin1")));
}
