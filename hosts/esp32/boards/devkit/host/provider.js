// ESP32-DevKitC and what is wired like it: the meter's data line at GPIO 16, an S0 output between GPIO 4 and ground, the LED at GPIO 2.

import Digital from "embedded:io/digital";
import PulseCount from "embedded:io/pulsecount";
import Serial from "embedded:io/serial";

export default {
  io: { Digital, PulseCount, Serial },
  meter: { port: 2, receive: 16, transmit: 17 },
  console: { port: 0, receive: 3, transmit: 1 },
  led: { pin: 2, on: 1 },
  pulse: { pin: 4 },
};
