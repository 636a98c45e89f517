// A P1 adapter: an ESP32-C3 (4 MB) on an RJ12 plug, fed by the meter (DSMR 5.0.2 section 5.7: 5 V, 250 mA at most).
//   GPIO 6    P1 pin 5, data: 1 kOhm to 3.3 V; its level is inverted by the UART
//   GPIO 7    P1 pin 2, data request: high through the adapter's level shifter for as long as it runs
//   GPIO 4    S0+ with the chip's pull-up, S0- at ground
//   GPIO 8    LED, lights at low level
//   GPIO 20/21 console: pads for a 3.3 V serial cable

import Digital from "embedded:io/digital";
import Serial from "embedded:io/serial";

export default {
  io: { Digital, Serial },
  meter: { port: 1, receive: 6 },
  console: { port: 0, receive: 20, transmit: 21 },
  led: { pin: 8, on: 0 },
  pulse: { pin: 4 },
  request: { pin: 7 },
};
