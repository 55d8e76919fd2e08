// Loaded before each file of laws: SHARECORD_SEED, the seed that a failing law shows, repeats its choices.
import * as fc from 'fast-check';

const seed = process.env['SHARECORD_SEED'];
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) });
