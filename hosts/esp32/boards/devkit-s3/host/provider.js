// ESP32-S3-DevKitC-1 (8 MB) and what is wired like it. Its own LED is an addressable one: the status LED is an external one.
//   GPIO 18   meter's data: P1 pin 5 with 1 kOhm to 3.3 V (its level is inverted by the UART), or the output of an optical head
//   GPIO 17   to an optical head's LED, where the meter wants to be asked
//   GPIO 4    S0+ with the chip's pull-up, S0- at ground
//   GPIO 5    LED through 330 Ohm to ground, lights at high level
//   GPIO 43/44 console: the board's USB socket that is marked UART

import Digital from "embedded:io/digital";
import Serial from "embedded:io/serial";

export default {
  io: { Digital, Serial },
  meter: { port: 1, receive: 18, transmit: 17 },
  console: { port: 0, receive: 44, transmit: 43 },
  led: { pin: 5, on: 1 },
  pulse: { pin: 4 },
};
