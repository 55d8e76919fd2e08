// What both sides share: keys are names of flags, records say what they do.
import { bool, struct, u8, unixMs, utf8 } from 'sharecord';

export const Flag = struct('Flag', { enabled: bool, percent: u8, changed: unixMs, by: utf8(32) });
export const definition = { key: utf8(64), layout: Flag };
