// What runs in the guest before a contract: it takes away all that could differ between machines, and
// freezes what is left. Part of consensus: any change of this text changes outcomes. test/contracts/traps.test.ts has a test for each thing it takes.

import { VALUE_DEPTH_MAX } from "../../src/wire/value.js";
import { LENGTH_MAX } from "./limits.js";

/**
 * A script whose value is a function of the host's functions. It answers `{ hold, run }`: `hold`
 * takes the contract's exports, `run` calls one of them.
 */
export const prelude = `"use strict";
(function (host) {
  const { read, list, write, emit, refuse } = host;
  const LENGTH = ${LENGTH_MAX}, DEPTH = ${VALUE_DEPTH_MAX};
  const { apply } = Reflect;
  const { parse, stringify } = JSON;
  const { keys, freeze, defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
  const { isArray } = Array;
  const { isSafeInteger } = Number;
  const ownKeys = Reflect.ownKeys;
  const NativeBigInt = BigInt, NativeObject = Object;
  const text = String.prototype;
  const slice = text.slice, isWellFormed = text.isWellFormed;

  // Functions that evaluate text are reached by the constructor of each kind of function.
  const functions = [function () {}, function* () {}, async function () {}, async function* () {}];
  const none = freeze(function Function() { throw new TypeError("Function is not there in a contract"); });
  const prototypes = functions.map(getPrototypeOf);
  for (const prototype of prototypes) {
    defineProperty(prototype, "constructor", { value: none, writable: false, enumerable: false, configurable: false });
  }
  const iterator = getPrototypeOf(getPrototypeOf([][Symbol.iterator]()));
  prototypes.push(iterator, getPrototypeOf([].values()), getPrototypeOf(""[Symbol.iterator]()));
  prototypes.push(getPrototypeOf(new Map().values()), getPrototypeOf(new Set().values()));
  prototypes.push(getPrototypeOf(getPrototypeOf(functions[1].prototype)), getPrototypeOf(getPrototypeOf(functions[3].prototype)));

  function keepOnly(object, names) {
    for (const key of ownKeys(object)) {
      if (typeof key !== "string" || names.includes(key)) continue;
      // Constants such as Math.PI cannot be deleted, and need not be.
      if (getOwnPropertyDescriptor(object, key).configurable || typeof object[key] !== "number") delete object[key];
    }
  }
  function take(object, names) {
    for (const name of names) delete object[name];
  }
  keepOnly(Math, ["abs", "ceil", "clz32", "floor", "imul", "max", "min", "round", "sign", "trunc"]);
  keepOnly(Number, ["prototype", "name", "length", "MAX_SAFE_INTEGER", "MIN_SAFE_INTEGER", "isInteger", "isSafeInteger", "parseInt"]);
  keepOnly(Array, ["prototype", "name", "length", "from", "isArray", "of"]);
  keepOnly(NativeObject, ["prototype", "name", "length", "assign", "create", "entries", "freeze", "fromEntries", "hasOwn", "is",
    "isFrozen", "keys", "values"]);
  take(NativeObject.prototype, ["__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "toLocaleString"]);
  take(Array.prototype, ["toLocaleString"]);
  take(Number.prototype, ["toLocaleString", "toExponential", "toFixed", "toPrecision"]);
  take(NativeBigInt.prototype, ["toLocaleString"]);
  take(text, ["localeCompare", "toLocaleLowerCase", "toLocaleUpperCase", "normalize", "match", "matchAll", "search", "anchor", "big",
    "blink", "bold", "fixed", "fontcolor", "fontsize", "italics", "link", "small", "strike", "sub", "sup", "substr"]);
  keepOnly(iterator, ["constructor"]);
  take(Error, ["captureStackTrace", "prepareStackTrace", "stackTraceLimit"]);
  take(Error.prototype, ["stack"]);
  // Frozen, an inherited property forbids errors of their own: these two are set on each error itself.
  for (const name of ["name", "message"]) {
    for (const prototype of [Error, RangeError, TypeError, SyntaxError, ReferenceError].map((kind) => kind.prototype)) {
      const value = prototype[name];
      defineProperty(prototype, name, {
        get() { return value; },
        set(own) { defineProperty(this, name, { value: own, writable: true, enumerable: false, configurable: true }); },
        enumerable: false, configurable: false,
      });
    }
  }
  keepOnly(Map, ["prototype", "name", "length"]);

  const kept = ["Object", "Array", "Error", "RangeError", "TypeError", "Number", "Boolean", "String", "Math", "Symbol", "BigInt",
    "Map", "Set", "parseInt", "isNaN", "isFinite", "Infinity", "NaN", "undefined", "globalThis"];
  // What syntax reaches, promises of async functions among it, is frozen before its name goes.
  const roots = [];
  for (const name of ownKeys(globalThis)) {
    const value = globalThis[name];
    if ((typeof value === "object" && value !== null && value !== globalThis) || typeof value === "function") roots.push(value);
  }
  keepOnly(globalThis, kept);
  roots.push(...prototypes);
  const frozen = new Set();
  for (let index = 0; index < roots.length; index += 1) {
    const value = roots[index];
    if (value === null || (typeof value !== "object" && typeof value !== "function") || frozen.has(value)) continue;
    frozen.add(value);
    roots.push(getPrototypeOf(value));
    for (const key of ownKeys(value)) {
      const { value: member, get, set } = getOwnPropertyDescriptor(value, key);
      roots.push(member, get, set);
    }
    freeze(value);
  }
  for (const name of kept) {
    const { value } = getOwnPropertyDescriptor(globalThis, name);
    defineProperty(globalThis, name, { value, writable: false, configurable: false });
  }

  function bad(what) {
    refuse("value", what);
    throw new TypeError(what);
  }
  function quote(string) {
    if (!apply(isWellFormed, string, [])) bad("a text has half a character");
    return stringify(string);
  }
  function encode(value, depth) {
    if (value === null || value === true || value === false) return "" + value;
    if (typeof value === "string") return quote("s" + value);
    if (typeof value === "number") {
      if (!isSafeInteger(value)) bad(value + " is no integer within 2^53");
      return "" + value;
    }
    if (typeof value === "bigint") {
      if (value < -0x8000000000000000n || value > 0x7fffffffffffffffn) bad("an integer has more than 64 bits");
      return value >= -0x1fffffffffffffn && value <= 0x1fffffffffffffn ? "" + value : '"i' + value + '"';
    }
    if (typeof value !== "object") bad(typeof value + " is neither integer nor text");
    if (depth === DEPTH) bad("a value has more than " + DEPTH + " levels");
    let out = "";
    if (isArray(value)) {
      if (value.length > LENGTH) bad("an array is longer than " + LENGTH);
      for (let index = 0; index < value.length; index += 1) out += (index === 0 ? "" : ",") + encode(value[index], depth + 1);
      return "[" + out + "]";
    }
    const prototype = getPrototypeOf(value);
    if (prototype !== NativeObject.prototype && prototype !== null) bad("an object of a class is neither integer nor text");
    for (const key of keys(value)) out += (out === "" ? "" : ",") + quote(key) + ":" + encode(value[key], depth + 1);
    return "{" + out + "}";
  }
  function decode(value) {
    if (typeof value === "string") return value[0] === "s" ? apply(slice, value, [1]) : NativeBigInt(apply(slice, value, [1]));
    if (value === null || typeof value !== "object") return value;
    if (isArray(value)) {
      for (let index = 0; index < value.length; index += 1) value[index] = decode(value[index]);
      return value;
    }
    for (const key of keys(value)) {
      defineProperty(value, key, { value: decode(value[key]), writable: true, enumerable: true, configurable: true });
    }
    return value;
  }
  function named(value) {
    if (typeof value !== "string") bad("a name or key is no text");
    if (!apply(isWellFormed, value, [])) bad("a text has half a character");
    return value;
  }

  let contract;
  return freeze({
    hold(exported) {
      contract = exported;
      delete globalThis.hold;
    },
    declared() {
      const { reads, writes } = contract;
      return isArray(reads) && isArray(writes) ? encode([reads, writes], 0) : "null";
    },
    run(entry, argument, block) {
      const f = contract[entry];
      if (typeof f !== "function") return refuse("shape", "it exports no function " + entry);
      const context = freeze({
        ...decode(parse(block)),
        get(key) {
          const found = read(named(key));
          return found === undefined ? undefined : decode(parse(found));
        },
        keys(prefix) { return decode(parse(list(named(prefix)))); },
        put(key, value) { write(named(key), encode(value, 0)); },
        remove(key) { write(named(key), ""); },
        effect(name, body) { emit("effect", named(name), encode(body, 0), ""); },
        violation(name, subject, body) { emit("violation", named(name), encode(body, 0), named(subject)); },
        deny(rule, body = null) { emit("denial", named(rule), encode(body, 0), ""); },
        message(service, name, body) {
          if (typeof service !== "number") bad("a service is no number");
          emit("message", named(name), encode(body, 0), "" + service);
        },
      });
      if (f(context, decode(parse(argument))) !== undefined) refuse("returned", "its function " + entry + " returned something");
    },
  });
})
`;
