import { createWorld, noFaults } from "./world.js";
const schedule = [
  { service: 1, serviceId: 7, every_s: 2, aligned: true, registers: ["1-0:1.8.n", "1-0:2.8.n"] },
  { service: 3, serviceId: 0, every_s: 3, aligned: false, registers: ["1-0:1.7.0"] }];
const faults = { connect: 0.3, drop: 0.03, lostReceipt: 0.1, blocked: 0.1, busy: 0.05, rubbish: 0.1, cuts: 6 };
for (const seed of [11,12,13,14,15,16]) {
const world = createWorld({ seed, schedule, faults, sectors: 4 });
for (let i=0;i<10;i++){ world.run(24); }
console.log(seed, world.cuts, world.sealed.size, JSON.stringify(world.counters), world.states.slice(-8).join(), world.log.length);
if (world.sealed.size<30) console.log(world.log.slice(-20));
}
{
    const world = createWorld({ seed: 9, schedule, faults: noFaults });
    const credential = world.stores.keys.get("credential")!;
    world.stores.keys.delete("credential");
    world.powerOff();
    world.run(30);
    console.log(world.states, world.counters, world.log);
}
