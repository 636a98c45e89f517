// The registers of Modbus meters as their makers publish them, one table a type. A row is the first register in hex, what it holds, how
// it is stored, and the power of ten of its unit (0 where it is left out).
//
// Stored: `f` a float, `d` a float of four registers, `u` and `s` an integer without and with a sign, `U` and `S` one of two registers,
// `L` and `l` the same with the low word first, `Q` and `q` one of four. Of EMI a register is as wide as its value.

export interface ModbusTable {
  readonly name: string;
  /** 3 holding registers, 4 input registers. */
  readonly operation: 3 | 4;
  /** First register and number of each question. */
  readonly asked: readonly (readonly [start: number, count: number])[];
  readonly rows: string;
  /** Every register is half of a float: what holds no float is another meter's. */
  readonly floatsAlone: boolean;
  /** A register is as wide as its value (Portuguese EMI). */
  readonly wide: boolean;
}

/** What a row's second field is: code and DLMS unit. `P` is net, `P+` and `P-` are of one direction; a digit is the phase. */
export const quantities =
  " U=1-0:32.7.0,35 U1=1-0:32.7.0,35 U2=1-0:52.7.0,35 U3=1-0:72.7.0,35 I=1-0:31.7.0,33 I1=1-0:31.7.0,33 I2=1-0:51.7.0,33" +
  " I3=1-0:71.7.0,33 P=1-0:16.7.0,27 P1=1-0:36.7.0,27 P2=1-0:56.7.0,27 P3=1-0:76.7.0,27 P+=1-0:1.7.0,27 P-=1-0:2.7.0,27" +
  " P1+=1-0:21.7.0,27 P1-=1-0:22.7.0,27 P2+=1-0:41.7.0,27 P2-=1-0:42.7.0,27 P3+=1-0:61.7.0,27 P3-=1-0:62.7.0,27" +
  " Q=1-0:3.7.0,29 Q1=1-0:23.7.0,29 Q2=1-0:43.7.0,29 Q3=1-0:63.7.0,29 S=1-0:9.7.0,28 S1=1-0:29.7.0,28 S2=1-0:49.7.0,28" +
  " S3=1-0:69.7.0,28 K=1-0:13.7.0,255 K1=1-0:33.7.0,255 K2=1-0:53.7.0,255 K3=1-0:73.7.0,255 F=1-0:14.7.0,44" +
  " E+=1-0:1.8.0,30 E-=1-0:2.8.0,30 R+=1-0:3.8.0,32 R-=1-0:4.8.0,32 E1+=1-0:21.8.0,30 E2+=1-0:41.8.0,30 E3+=1-0:61.8.0,30" +
  " E1-=1-0:22.8.0,30 E2-=1-0:42.8.0,30 E3-=1-0:62.8.0,30 T1+=1-0:1.8.1,30 T2+=1-0:1.8.2,30 T3+=1-0:1.8.3,30" +
  " T4+=1-0:1.8.4,30 T5+=1-0:1.8.5,30 T6+=1-0:1.8.6,30 T1-=1-0:2.8.1,30 T2-=1-0:2.8.2,30 R1=1-0:5.8.0,32 R2=1-0:6.8.0,32" +
  " R3=1-0:7.8.0,32 R4=1-0:8.8.0,32 T=0-0:96.14.0,255 ";

/** What EM24 and EM340 have in the same places. */
const gavazzi =
  "0,U1,l,-1 2,U2,l,-1 4,U3,l,-1 c,I1,l,-3 e,I2,l,-3 10,I3,l,-3 12,P1,l,-1 14,P2,l,-1 16,P3,l,-1 28,P,l,-1 " +
  "2a,S,l,-1 2c,Q,l,-1";

/** A table a text: name, function, `f` where every register is half of a float or `w` for a wide one, questions, rows. */
const texts: readonly string[] = [
  // Eastron SDM630 V1.8, which fits SDM72D and SDM54 as well.
  "sdm630|4|f|0:80|" +
    "0,U1,f 2,U2,f 4,U3,f 6,I1,f 8,I2,f a,I3,f c,P1,f e,P2,f 10,P3,f 1e,K1,f 20,K2,f 22,K3,f 34,P,f 38,S,f " +
    "3c,Q,f 3e,K,f 46,F,f 48,E+,f,3 4a,E-,f,3 4c,R+,f,3 4e,R-,f,3",
  // Eastron SDM120 V2.4, which fits SDM220 and SDM230.
  "sdm120|4|f|0:80|" + "0,U,f 6,I,f c,P,f 12,S,f 18,Q,f 1e,K,f 46,F,f 48,E+,f,3 4a,E-,f,3 4c,R+,f,3 4e,R-,f,3",
  // ABB A43, A44, B21, B23 and B24.
  "abb-b23|3|-|5000:20,5b00:64|" +
    "5000,E+,Q,1 5004,E-,Q,1 500c,R+,Q,1 5010,R-,Q,1 5b00,U1,U,-1 5b02,U2,U,-1 5b04,U3,U,-1 5b0c,I1,U,-2 " +
    "5b0e,I2,U,-2 5b10,I3,U,-2 5b14,P,S,-2 5b16,P1,S,-2 5b18,P2,S,-2 5b1a,P3,S,-2 5b1c,Q,S,-2 5b24,S,S,-2 " +
    "5b2c,F,u,-2 5b3a,K,s,-3 5b3b,K1,s,-3 5b3c,K2,s,-3 5b3d,K3,s,-3",
  // Schneider Electric iEM3100 to iEM3300.
  "schneider-iem3000|3|-|bb7:112,c83:24|" +
    "bb7,I1,f bb9,I2,f bbb,I3,f bd3,U1,f bd5,U2,f bd7,U3,f bed,P1,f,3 bef,P2,f,3 bf1,P3,f,3 bf3,P,f,3 " +
    "bfb,Q,f,3 c03,S,f,3 c25,F,f c83,E+,q c87,E-,q c93,R+,q c97,R-,q",
  // Carlo Gavazzi EM24 with RS-485.
  `gavazzi-em24|4|-|0:56,42:28|${gavazzi} 32,K1,s,-3 33,K2,s,-3 34,K3,s,-3 35,K,s,-3 37,F,s,-1 42,E+,l,2 46,E1+,l,2 48,E2+,l,2 4a,E3+,l,2 5c,E-,l,2`,
  // Carlo Gavazzi EM330, EM340, ET330 and ET340.
  `gavazzi-em340|4|-|0:80|${gavazzi} 2e,K1,s,-3 2f,K2,s,-3 30,K3,s,-3 31,K,s,-3 33,F,s,-1 34,E+,l,2 40,E1+,l,2 42,E2+,l,2 44,E3+,l,2 4e,E-,l,2`,
  // Janitza B23, B24 and UMG 96.
  "janitza-b23|3|-|4a38:78|" +
    "4a38,U1,f 4a3a,U2,f 4a3c,U3,f 4a44,I1,f 4a46,I2,f 4a48,I3,f 4a4c,P1,f 4a4e,P2,f 4a50,P3,f 4a52,P,f " +
    "4a64,K1,f 4a66,K2,f 4a68,K3,f 4a6a,F,f 4a76,E1+,f 4a78,E2+,f 4a7a,E3+,f 4a7c,E+,f 4a7e,E1-,f 4a80,E2-,f " +
    "4a82,E3-,f 4a84,E-,f",
  // Finder 7M.38, three phases.
  "finder-7m38|4|-|9c4:86,ac0:8|" +
    "9c4,U1,f 9c6,U2,f 9c8,U3,f 9d4,I1,f 9d6,I2,f 9d8,I3,f 9e2,P1,f 9e4,P2,f 9e6,P3,f 9e8,P,f 9ea,Q1,f " +
    "9ec,Q2,f 9ee,Q3,f 9f0,Q,f 9f2,S1,f 9f4,S2,f 9f6,S3,f 9f8,S,f 9fa,K1,f 9fc,K2,f 9fe,K3,f a00,K,f a18,F,f " +
    "ac0,E+,f ac2,R+,f ac4,E-,f ac6,R-,f",
  // Finder 7M.24, one phase.
  "finder-7m24|4|-|9c4:86,ac0:8|" +
    "9c4,U,f 9d4,I,f 9e8,P,f 9f0,Q,f 9f8,S,f a00,K,f a18,F,f ac0,E+,f ac2,R+,f ac4,E-,f ac6,R-,f",
  // Siemens SENTRON PAC2200 and PAC3200.
  "siemens-pac2200|3|-|1:70,321:16|" +
    "1,U1,f 3,U2,f 5,U3,f d,I1,f f,I2,f 11,I3,f 19,P1,f 1b,P2,f 1d,P3,f 25,K1,f 27,K2,f 29,K3,f 37,F,f 3f,S,f " +
    "41,P,f 43,Q,f 45,K,f 321,T1+,d 325,T2+,d 329,T1-,d 32d,T2-,d",
  // Peacefair PZEM-014, PZEM-016 and PZEM-004T V3.
  "pzem-016|4|-|0:9|" + "0,U,u,-1 1,I,L,-3 3,P+,L,-1 5,E+,L 7,F,u,-1 8,K,u,-2",
  // Inepro PRO1, PRO380.
  "inepro-pro380|3|-|5000:50,600c:52|" +
    "5002,U1,f 5004,U2,f 5006,U3,f 5008,F,f 500c,I1,f 500e,I2,f 5010,I3,f 5012,P,f,3 5014,P1,f,3 5016,P2,f,3 " +
    "5018,P3,f,3 501a,Q,f,3 5022,S,f,3 502a,K,f 502c,K1,f 502e,K2,f 5030,K3,f 600c,E+,f,3 600e,T1+,f,3 " +
    "6010,T2+,f,3 6018,E-,f,3 601a,T1-,f,3 601c,T2-,f,3 6030,R+,f,3 603c,R-,f,3",
  // Orno OR-WE-514 and OR-WE-515, one phase.
  "orno-we514|3|-|130:41,a000:6|" +
    "130,F,u,-2 131,U,u,-2 139,I,U,-3 140,P+,U 148,Q,U 150,S,U 158,K,u,-3 a000,E+,U,1 a002,T1+,U,1 " +
    "a004,T2+,U,1",
  // Chint DTSU666: floats in tenths, hundredths and thousandths.
  "chint-dtsu666|3|-|2006:64,101e:12|" +
    "101e,E+,f,3 1028,E-,f,3 2006,U1,f,-1 2008,U2,f,-1 200a,U3,f,-1 200c,I1,f,-3 200e,I2,f,-3 2010,I3,f,-3 " +
    "2012,P,f,-1 2014,P1,f,-1 2016,P2,f,-1 2018,P3,f,-1 201a,Q,f,-1 202a,K,f,-3 202c,K1,f,-3 202e,K2,f,-3 " +
    "2030,K3,f,-3 2044,F,f,-2",
  // Bernecker MPM3PM.
  "mpm3pm|3|-|0:46|" +
    "2,E+,U,1 4,E-,U,1 8,U1,U,-1 a,U2,U,-1 c,U3,U,-1 e,I1,U,-2 10,I2,U,-2 12,I3,U,-2 14,P1,S,-2 16,P2,S,-2 " +
    "18,P3,S,-2 26,P,S,-2 28,Q,S,-2 20,K1,U,-3 22,K2,U,-3 24,K3,U,-3 2a,K,U,-3 2c,F,U,-2",
  // DZG DVH4013.
  "dzg-dvh4013|3|-|0:20,4000:2,4100:2|" +
    "0,P+,U,-1 2,P-,U,-1 4,U1,U,-2 6,U2,U,-2 8,U3,U,-2 a,I1,U,-3 c,I2,U,-3 e,I3,U,-3 10,K,U,-3 12,F,U,-3 " +
    "4000,E+,U 4100,E-,U",
  // EDP Box and other meters of Portugal (EMI of E-REDES, DEF-C44-509), and their clock.
  "emi|4|w|1:1,16:6,26:3,6c:2,79:3,7f:1,b:1|" +
    "1,clock,c b,T,t c,limit,U d,limit,U e,limit,U f,limit,U 10,limit,U 11,limit,U 16,E+,U 17,E-,U 18,R1,U " +
    "19,R2,U 1a,R3,U 1b,R4,U 26,T1+,U 27,T2+,U 28,T3+,U 29,T4+,U 2a,T5+,U 2b,T6+,U 6c,U1,u,-1 6d,I1,u,-1 " +
    "6e,U2,u,-1 6f,I2,u,-1 70,U3,u,-1 71,I3,u,-1 72,all,u 73,P1+,U 74,P1-,U 75,P2+,U 76,P2-,U 77,P3+,U " +
    "78,P3-,U 79,P+,U 7a,P-,U 7b,K,u,-3 7c,K1,u,-3 7d,K2,u,-3 7e,K3,u,-3 7f,F,u,-1",
];

/** The names of the tables. */
export const modbusMaps: readonly string[] = texts.map((text) => text.slice(0, text.indexOf("|")));

/** The table of that name; undefined where there is none. */
export function findTable(name: string): ModbusTable | undefined {
  const text = texts[modbusMaps.indexOf(name)];
  if (text === undefined) return undefined;
  const [, operation, kind, asked, rows] = text.split("|") as [string, string, string, string, string];
  return {
    name,
    operation: operation === "3" ? 3 : 4,
    asked: asked.split(",").map((question) => {
      const [start, count] = question.split(":") as [string, string];
      return [Number.parseInt(start, 16), Number(count)];
    }),
    rows,
    floatsAlone: kind === "f",
    wide: kind === "w",
  };
}
