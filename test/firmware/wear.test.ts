import assert from "node:assert/strict";
import { test } from "node:test";
import { RESERVATION } from "../../src/agent/outbox.js";
import { NvsPages } from "../../tools/firmware/nvs-pages.js";
import { measureWear, partitionsIn, worstPageErases } from "../../tools/firmware/wear.js";

test("an outbox erases each sector as often as every other one, and a value is replaced once for so many records", () => {
  const wear = measureWear({ services: 2, every_s: 10, sectors: 4, telegrams: RESERVATION + 1 });
  assert.deepEqual([wear.records, wear.sealed], [2 * (RESERVATION + 1), 2 * (RESERVATION + 1)]);
  assert(Math.min(...wear.erases) >= 1, "the ring has turned");
  assert(Math.max(...wear.erases) - Math.min(...wear.erases) <= 1);
  const erases = wear.erases.reduce((sum, times) => sum + times, 0);
  const perSector = wear.records / erases;
  assert(perSector > 10 && perSector < 18, `${perSector} records a sector`);
  const replaced = wear.values.map(([key]) => key);
  assert.deepEqual(replaced, ["seq1", "seq2", "seq1", "seq2"]);
});

test("what a meter's flash has to take is the same for the same plan", () => {
  const plan = { services: 1, every_s: 900, sectors: 4, telegrams: 30 };
  assert.deepEqual(measureWear(plan), measureWear(plan));
});

test("pages of NVS are erased in turn, but for those in which all lives", () => {
  const nvs = new NvsPages(4);
  nvs.set("configuration", 1_900);
  nvs.set("configuration of the ports", 1_900);
  for (let round = 0; round < 4_200; round++) nvs.set("seq1", 4);
  // 42 values a page: of four pages one is full of what lives, one is always free
  const erases = nvs.erases.reduce((sum, times) => sum + times, 0);
  assert(Math.abs(erases - 100) <= 5, `${erases} erases`);
  assert(nvs.erases.filter((times) => times > 30).length >= 2, nvs.erases.join());
  assert.throws(() => nvs.set("more", 4 * 4_000), /NVS is full/);
});

test("a page of NVS is erased less than once for a hundred reservations", () => {
  for (const services of [1, 5]) assert(worstPageErases(services, 6) < 0.01);
});

test("the sectors of an outbox and the pages of NVS are read from a partition table", () => {
  const table = "# Name, Type\nnvs,      data, nvs,     0x9000,   0x6000\noutbox,   data, 0x40,    0x380000, 0x80000\n";
  assert.deepEqual(partitionsIn(table), { sectors: 128, pages: 6 });
  assert.throws(() => partitionsIn("nvs, data, nvs, 0x9000, 0x6000\n"), /no outbox/);
});
