/* The one function that native modules written in Rust import from bcryptprimitives.dll, a library that Wine 8 lacks. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(void *buffer, ULONG length); /* RtlGenRandom, in advapi32 */

__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *buffer, SIZE_T length) {
  const ULONG most = 1u << 20;
  while (length > 0) {
    ULONG part = length < most ? (ULONG)length : most;
    if (!SystemFunction036(buffer, part)) return FALSE;
    buffer += part;
    length -= part;
  }
  return TRUE;
}
