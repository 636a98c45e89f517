// The module `host` is supplied by the build: each platform's folder in hosts/ has one.
declare module "host" {
  const host: import("../src/host.js").Host;
  export default host;
}
