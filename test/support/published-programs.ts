// Records as programs publish them in shared memory, each in C and in the layout language, and constructs of C that are easily got
// wrong. Long arrays are shortened.
import { array, bits, bytes, enumOf } from '../../src/layout/composites.ts';
import {
  bool,
  f32,
  f64,
  i16,
  i32,
  i64,
  i8,
  long,
  timeT,
  u16,
  u32,
  u64,
  u8,
  ulong,
} from '../../src/layout/numbers.ts';
import { struct, union } from '../../src/layout/struct.ts';
import { char, wchar } from '../../src/layout/text-types.ts';
import type { Layout } from '../../src/layout/types.ts';

/** Where a type is declared (a header, or the declaration itself), its name in C, and what it is in the layout language. */
export type Published = readonly [declared: string, type: string, layout: Layout];

const Vector = struct('Vector', { x: f64, y: f64, z: f64 }, { pack: 4 });

/** The same on every ABI but for the widths that the ABI decides. */
export const PROGRAMS: readonly Published[] = [
  [`typedef struct { int tickCount; int bufOffset; int pad[2]; } VarBuf;
    typedef struct { int ver, status, tickRate, sessionInfoUpdate, sessionInfoLen, sessionInfoOffset, numVars, varHeaderOffset, numBuf, bufLen;
      int pad1[2]; VarBuf varBuf[4]; } SimHeader;`, 'SimHeader', struct('SimHeader', {
    ver: i32, status: i32, tickRate: i32, sessionInfoUpdate: i32, sessionInfoLen: i32, sessionInfoOffset: i32, numVars: i32, varHeaderOffset: i32,
    numBuf: i32, bufLen: i32, pad1: array(i32, 2), varBuf: array(struct('VarBuf', { tickCount: i32, bufOffset: i32, pad: array(i32, 2) }), 4) })],
  [`typedef struct { int type; int offset; int count; bool countAsTime; char pad[3]; char name[32]; char desc[64]; char unit[32]; } VarHeader;`,
    'VarHeader', struct('VarHeader', {
      type: i32, offset: i32, count: i32, countAsTime: bool, pad: array(i8, 3), name: char(32), desc: char(64), unit: char(32) })],
  [`#pragma pack(push, 4)
    typedef struct { double x, y, z; } Vect3;
    typedef struct { long id; char driver[32]; short laps; signed char sector; bool player; double best; unsigned char place; char cls[32];
      Vect3 pos, ori[3]; unsigned char handle[8]; double end; } Scoring;
    #pragma pack(pop)`, 'Scoring', struct('Scoring', {
    id: long, driver: char(32), laps: i16, sector: i8, player: bool, best: f64, place: u8, cls: char(32), pos: Vector, ori: array(Vector, 3),
    handle: bytes(8), end: f64 }, { pack: 4 })],
  [`#pragma pack(push, 4)
    typedef struct { wchar_t smVersion[15]; wchar_t acVersion[15]; int sessions; wchar_t carModel[33]; float maxTorque; float radius[4];
      int penalties; } Static;
    #pragma pack(pop)`, 'Static', struct('Static', {
    smVersion: wchar(15), acVersion: wchar(15), sessions: i32, carModel: wchar(33), maxTorque: f32, radius: array(f32, 4), penalties: i32 }, { pack: 4 })],
  [`#pragma pack(push, 1)
    enum Reading { NONE, TEMP, VOLT, FAN };
    typedef struct { enum Reading type; unsigned sensor; unsigned id; char orig[128]; char user[128]; char unit[16]; double value, min, max, avg; } Element;
    typedef struct { unsigned signature, version, revision; long long polled; unsigned offset, size, count; Element first[2]; } Sensors;
    #pragma pack(pop)`, 'Sensors', struct('Sensors', {
    signature: u32, version: u32, revision: u32, polled: i64, offset: u32, size: u32, count: u32, first: array(struct('Element', {
      type: enumOf(i32, { NONE: 0, TEMP: 1, VOLT: 2, FAN: 3 }), sensor: u32, id: u32, orig: char(128), user: char(128), unit: char(16), value: f64, min: f64,
      max: f64, avg: f64 }, { pack: 1 }), 2) }, { pack: 1 })],
  [`typedef struct { unsigned load[8]; unsigned tjMax[4]; unsigned cores, cpus; float temp[8]; float vid, speed, fsb, multiplier; char name[100];
      unsigned char fahrenheit, delta; } CoreTemp;`, 'CoreTemp', struct('CoreTemp', {
    load: array(u32, 8), tjMax: array(u32, 4), cores: u32, cpus: u32, temp: array(f32, 8), vid: f32, speed: f32, fsb: f32, multiplier: f32, name: char(100),
    fahrenheit: u8, delta: u8 })],
  [`#pragma pack(push, 1)
    typedef struct { uint16_t key[64]; uint16_t value[64]; } Pair;
    typedef struct { uint32_t version; volatile long busy; uint32_t updated; Pair pairs[3]; struct { uint32_t digits; double value; } sensors[3]; } Gpu;
    #pragma pack(pop)`, 'Gpu', struct('Gpu', {
    version: u32, busy: long, updated: u32, pairs: array(struct('Pair', { key: array(u16, 64), value: array(u16, 64) }, { pack: 1 }), 3),
    sensors: array(struct('Sensor', { digits: u32, value: f64 }, { pack: 1 }), 3) }, { pack: 1 })],
  [`typedef struct { char names[3][4][16]; wchar_t wide[2][5]; double grid[2][3][2]; bool flags[3]; } Dimensions;`, 'Dimensions', struct('Dimensions', {
    names: array(array(char(16), 4), 3), wide: array(wchar(5), 2), grid: array(array(array(f64, 2), 3), 2), flags: array(bool, 3) })],
  [`typedef union { struct { uint8_t a; union { double d; struct { uint16_t lo, hi; }; } u[2]; }; uint64_t words[4]; } Nest;
    typedef struct { char tag; Nest nests[2]; time_t at; unsigned long mask; } Nests;`, 'Nests', struct('Nests', {
    tag: i8, nests: array(union('Nest', {
      $s: struct('S', { a: u8, u: array(union('U', { d: f64, $w: struct('W', { lo: u16, hi: u16 }) }), 2) }), words: array(u64, 4) }), 2),
    at: timeT, mask: ulong })],
  [`typedef struct { uint16_t count; struct { uint32_t key; } items[]; } Flexible;`, 'Flexible', struct('Flexible', {
    $head: union('Head', { $it: struct('Rest', { count: u16 }), $align: u32 }) })],
]; // prettier-ignore

const MIXED =
  'typedef struct { unsigned a : 3; unsigned char b : 2; unsigned short c : 9; unsigned d : 20; } Mixed;';
const BESIDE = 'typedef struct { uint8_t tag; uint32_t rest : 24; uint8_t last; } Beside;';
/** Bit fields of several types, and beside a plain member: gcc on Linux lets them share bytes, the rules of Windows begin a new unit with each type. */
export const MIXED_BITS = {
  linux: [
    [MIXED, 'Mixed', struct('Mixed', { $a: bits(u32, { a: 3, b: 2, c: 9 }), $d: bits(u32, { d: 20 }) })],
    [BESIDE, 'Beside', struct('Beside', { $u: union('Unit', { $s: struct('S', { tag: u8 }), $b: bits(u32, { $tag: 8, rest: 24 }) }), last: u8 })],
  ],
  windows: [
    [MIXED, 'Mixed', struct('Mixed', {
      $a: bits(u32, { a: 3 }), $b: bits(u8, { b: 2 }), $c: bits(u16, { c: 9 }), $d: bits(u32, { d: 20 }) })],
    [BESIDE, 'Beside', struct('Beside', { tag: u8, $b: bits(u32, { rest: 24 }), last: u8 })],
  ],
} satisfies Record<string, readonly Published[]>; // prettier-ignore
