// ESP32-DevKitC (ESP32-WROOM-32, 4 MB) and what is wired like it.
//   GPIO 16  meter's data: P1 pin 5 with 1 kOhm to 3.3 V (its level is inverted by the UART), or the output of an optical head
//   GPIO 17  to an optical head's LED, where the meter wants to be asked
//   GPIO 4   S0+ with the chip's pull-up, S0- at ground
//   GPIO 2   LED of most boards, lights at high level
//   GPIO 1/3 console: the board's USB

import Digital from "embedded:io/digital";
import Serial from "embedded:io/serial";

export default {
  io: { Digital, Serial },
  meter: { port: 2, receive: 16, transmit: 17 },
  console: { port: 0, receive: 3, transmit: 1 },
  led: { pin: 2, on: 1 },
  pulse: { pin: 4 },
};
