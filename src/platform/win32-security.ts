// Who may use a kernel object on Windows: a descriptor for this user alone unless the caller gave another, and who owns one.
import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import { ValueError } from '../errors.ts';
import { kernel32, lastError, windowsError } from './kernel32.ts';

export const READ_CONTROL = 0x20000;
const TOKEN_QUERY = 8;
const TOKEN_USER = 1;
const TOKEN_OWNER = 4;
const THIS_PROCESS = -1;
const OWNER_SECURITY_INFORMATION = 1;
const SDDL_REVISION = 1;
// PLATFORM: SECURITY_ATTRIBUTES of 64-bit Windows: length (4 bytes), descriptor at 8, bInheritHandle at 16.
const ATTRIBUTES_SIZE = 24;
// Larger than any token or descriptor with one owner: a SID has at most 68 bytes.
const ANSWER_SIZE = 512;
// PLATFORM: a self-relative SECURITY_DESCRIPTOR has the offset of its owner at byte 4; a SID has its count of 4-byte parts
// at byte 1 and 8 bytes before them.
const OWNER_OFFSET = 4;

function load() {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const advapi32 = koffi.load('advapi32.dll');
  return {
    openProcessToken: advapi32.func('int __stdcall OpenProcessToken(intptr_t, uint32_t, void *)'),
    getTokenInformation: advapi32.func(
      'int __stdcall GetTokenInformation(intptr_t, uint32_t, void *, uint32_t, void *)',
    ),
    convertDescriptor: advapi32.func(
      'int __stdcall ConvertStringSecurityDescriptorToSecurityDescriptorW(str16, uint32_t, void *, void *)',
    ),
    getKernelObjectSecurity: advapi32.func(
      'int __stdcall GetKernelObjectSecurity(intptr_t, uint32_t, void *, uint32_t, void *)',
    ),
  };
}
let loaded: ReturnType<typeof load> | undefined;
const advapi32 = (): ReturnType<typeof load> => (loaded ??= load());

function sidAt(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.slice(at, at + 8 + 4 * (bytes[at + 1] ?? 0));
}

/** A SID in its written form, S-1-… (MS-DTYP 2.4.2.1). */
function sidText(sid: Uint8Array): string {
  const view = new DataView(sid.buffer);
  const authority = view.getUint16(2) * 2 ** 32 + view.getUint32(4);
  const parts = Array.from({ length: sid[1] ?? 0 }, (_, i) => view.getUint32(8 + 4 * i, true));
  return ['S', sid[0], authority, ...parts].join('-');
}

function tokenSid(token: number, what: number): Uint8Array {
  const answer = new Uint8Array(ANSWER_SIZE);
  const length = new Uint32Array(1);
  if (advapi32().getTokenInformation(token, what, answer, answer.length, length) === 0) {
    throw windowsError({
      act: 'secure',
      segment: undefined,
      syscall: 'GetTokenInformation',
      osCode: lastError(),
    });
  }
  // The answer starts with the address of the SID, which lies behind it in the same bytes: TOKEN_USER has 16 bytes before
  // it, TOKEN_OWNER 8.
  return sidAt(answer, what === TOKEN_USER ? 16 : 8);
}

interface Identity {
  readonly user: Uint8Array;
  /** Owner of what native programs of this user create: for an elevated one the group of administrators. */
  readonly owner: Uint8Array;
}
let identity: Identity | undefined;

function whoAmI(): Identity {
  if (identity !== undefined) return identity;
  const token = new BigInt64Array(1);
  if (advapi32().openProcessToken(THIS_PROCESS, TOKEN_QUERY, token) === 0) {
    throw windowsError({
      act: 'secure',
      segment: undefined,
      syscall: 'OpenProcessToken',
      osCode: lastError(),
    });
  }
  try {
    const handle = Number(token[0]);
    return (identity = { user: tokenSid(handle, TOKEN_USER), owner: tokenSid(handle, TOKEN_OWNER) });
  } finally {
    kernel32().closeHandle(Number(token[0]));
  }
}

const attributesBySddl = new Map<string | undefined, Uint8Array>();

/**
 * Gives the SECURITY_ATTRIBUTES for a new object; without `sddl` this user alone may use it.
 * @throws {ValueError} VALUE_RANGE when `sddl` is no security descriptor
 */
export function securityAttributes(sddl: string | undefined): Uint8Array {
  const known = attributesBySddl.get(sddl);
  if (known !== undefined) return known;
  const user = sidText(whoAmI().user);
  const descriptor = new BigInt64Array(1);
  const text = sddl ?? `O:${user}D:P(A;;GA;;;${user})`;
  if (advapi32().convertDescriptor(text, SDDL_REVISION, descriptor, null) === 0) {
    const osCode = lastError();
    throw new ValueError(
      'VALUE_RANGE',
      `cannot create segment: securityDescriptor is ${JSON.stringify(text)}, expected SDDL text (error ${osCode})`,
    );
  }
  const attributes = new DataView(new ArrayBuffer(ATTRIBUTES_SIZE));
  attributes.setUint32(0, ATTRIBUTES_SIZE, true);
  // The descriptor is the system's memory and kept: there is one per text.
  attributes.setBigInt64(8, descriptor[0] ?? 0n, true);
  const bytes = new Uint8Array(attributes.buffer);
  attributesBySddl.set(sddl, bytes);
  return bytes;
}

/** True if another user owns the object, or if its owner cannot be told (it denies READ_CONTROL). */
export function isForeign(handle: number): boolean {
  const answer = new Uint8Array(ANSWER_SIZE);
  const length = new Uint32Array(1);
  const { getKernelObjectSecurity } = advapi32();
  if (getKernelObjectSecurity(handle, OWNER_SECURITY_INFORMATION, answer, answer.length, length) === 0) {
    return true;
  }
  const at = new DataView(answer.buffer).getUint32(OWNER_OFFSET, true);
  // PLATFORM: Windows gives every object an owner; Wine leaves it out where no descriptor was passed.
  if (at === 0) return false;
  const found = sidText(sidAt(answer, at));
  const { user, owner } = whoAmI();
  return found !== sidText(user) && found !== sidText(owner);
}
