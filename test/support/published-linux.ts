// Structs that Linux publishes in its headers, said in the layout language.
import { array, bits, bytes, pad } from '../../src/layout/composites.ts';
import {
  be,
  i16,
  i32,
  i64,
  long,
  pointer,
  sizeT,
  u16,
  u32,
  u64,
  u8,
  ulong,
} from '../../src/layout/numbers.ts';
import { struct, union } from '../../src/layout/struct.ts';
import { char } from '../../src/layout/text-types.ts';
import type { Published } from './published-programs.ts';

// A name that begins with `$` stands for an anonymous member of the header.
const Timeval = struct('Timeval', { tv_sec: long, tv_usec: long });
const StatxTime = struct('StatxTime', { tv_sec: i64, tv_nsec: u32, __reserved: i32 });
export const LINUX: readonly Published[] = [
  ['linux/input.h', 'struct input_event', struct('Input', { time: Timeval, type: u16, code: u16, value: i32 })],
  ['utmp.h', 'struct utmp', struct('Utmp', {
    ut_type: i16, ut_pid: i32, ut_line: char(32, { terminated: false }), ut_id: char(4, { terminated: false }),
    ut_user: char(32, { terminated: false }), ut_host: char(256, { terminated: false }),
    ut_exit: struct('Exit', { e_termination: i16, e_exit: i16 }), ut_session: i32,
    ut_tv: struct('Tv', { tv_sec: i32, tv_usec: i32 }), ut_addr_v6: array(i32, 4),
  }, { size: 384, offsets: { ut_type: 0 }, abi: 'linux64' })],
  ['linux/io_uring.h', 'struct io_uring_cqe', struct('Cqe', { user_data: u64, res: i32, flags: u32 })],
  ['linux/io_uring.h', 'struct io_uring_sqe', struct('Sqe', {
    opcode: u8, flags: u8, ioprio: u16, fd: i32,
    $a: union('A', { off: u64, addr2: u64, $c: struct('C', { cmd_op: u32, __pad1: u32 }) }),
    $b: union('B', { addr: u64, splice_off_in: u64 }), len: u32,
    $d: union('D', { rw_flags: u32, poll_events: u16, poll32_events: u32 }), user_data: u64,
    $e: union('E', { buf_index: u16, buf_group: u16 }, { pack: 1 }), personality: u16,
    $f: union('F', { splice_fd_in: i32, file_index: u32, $g: struct('G', { addr_len: u16, __pad3: array(u16, 1) }) }),
    $h: union('H', { $i: struct('I', { addr3: u64, __pad2: array(u64, 1) }) }),
  })],
  ['linux/fb.h', 'struct fb_fix_screeninfo', struct('Fix', {
    id: char(16, { terminated: false }), smem_start: ulong, smem_len: u32, type: u32, type_aux: u32, visual: u32,
    xpanstep: u16, ypanstep: u16, ywrapstep: u16, line_length: u32, mmio_start: ulong, mmio_len: u32, accel: u32,
    capabilities: u16, reserved: array(u16, 2),
  })],
  ['linux/perf_event.h', 'struct perf_event_mmap_page', struct('Page', {
    version: u32, compat_version: u32, lock: u32, index: u32, offset: i64, time_enabled: u64, time_running: u64,
    $cap: union('Cap', { capabilities: u64, $bits: bits(u64, {
      cap_bit0: 1, cap_bit0_is_deprecated: 1, cap_user_rdpmc: 1, cap_user_time: 1, cap_user_time_zero: 1, cap_user_time_short: 1, $rest: 58 }) }),
    pmc_width: u16, time_shift: u16, time_mult: u32, time_offset: u64, time_zero: u64, size: u32, __reserved_1: u32,
    time_cycles: u64, time_mask: u64, __reserved: bytes(116 * 8), data_head: u64, data_tail: u64, data_offset: u64, data_size: u64,
    aux_head: u64, aux_tail: u64, aux_offset: u64, aux_size: u64,
  })],
  ['linux/videodev2.h', 'struct v4l2_event', struct('Event', {
    type: u32, u: union('U', { data: bytes(64), vsync: struct('Vsync', { field: u8 }), $align: u64 }), pending: u32, sequence: u32,
    timestamp: struct('Timespec', { tv_sec: long, tv_nsec: long }), id: u32, reserved: array(u32, 8),
  })],
  ['linux/can.h', 'struct can_frame', struct('Can', {
    can_id: u32, $len: union('Len', { len: u8, can_dlc: u8 }), __pad: u8, __res0: u8, len8_dlc: u8, // aligned(8) in the header
        $data: union('Data', { data: bytes(8), $align: u64 }) })],
  ['sys/shm.h', 'struct shmid_ds', struct('Shm', {
    shm_perm: struct('Perm', { __key: i32, uid: u32, gid: u32, cuid: u32, cgid: u32, mode: u32, __seq: u16, $p: pad(2),
      __glibc_reserved1: ulong, __glibc_reserved2: ulong }),
    shm_segsz: sizeT, shm_atime: i64, shm_dtime: i64, shm_ctime: i64, shm_cpid: i32, shm_lpid: i32, shm_nattch: ulong,
    __glibc_reserved5: ulong, __glibc_reserved6: ulong }, { abi: 'linux64' })],
  ['linux/perf_event.h', 'struct perf_event_attr', struct('Attr', {
    type: u32, size: u32, config: u64, $period: union('Period', { sample_period: u64, sample_freq: u64 }), sample_type: u64, read_format: u64,
    $flags: bits(u64, {
      disabled: 1, inherit: 1, pinned: 1, exclusive: 1, exclude_user: 1, exclude_kernel: 1, exclude_hv: 1, exclude_idle: 1, mmap: 1, comm: 1, freq: 1,
      inherit_stat: 1, enable_on_exec: 1, task: 1, watermark: 1, precise_ip: 2, mmap_data: 1, sample_id_all: 1, exclude_host: 1, exclude_guest: 1 }),
    $wake: union('Wake', { wakeup_events: u32, wakeup_watermark: u32 }), bp_type: u32,
    $1: union('U1', { bp_addr: u64, kprobe_func: u64, uprobe_path: u64, config1: u64 }),
    $2: union('U2', { bp_len: u64, kprobe_addr: u64, probe_offset: u64, config2: u64 }),
    branch_sample_type: u64, sample_regs_user: u64, sample_stack_user: u32, clockid: i32, sample_regs_intr: u64, aux_watermark: u32,
    sample_max_stack: u16, __reserved_2: u16, aux_sample_size: u32, __reserved_3: u32, sig_data: u64 })],
  ['linux/if_packet.h', 'struct tpacket3_hdr', struct('Packet', {
    tp_next_offset: u32, tp_sec: u32, tp_nsec: u32, tp_snaplen: u32, tp_len: u32, tp_status: u32, tp_mac: u16, tp_net: u16,
    $u: union('U', { hv1: struct('Variant', { tp_rxhash: u32, tp_vlan_tci: u32, tp_vlan_tpid: u16, tp_padding: u16 }) }), tp_padding: bytes(8) })],
  ['linux/videodev2.h', 'struct v4l2_buffer', struct('Buffer', {
    index: u32, type: u32, bytesused: u32, flags: u32, field: u32, timestamp: Timeval,
    timecode: struct('Timecode', { type: u32, flags: u32, frames: u8, seconds: u8, minutes: u8, hours: u8, userbits: bytes(4) }),
    sequence: u32, memory: u32, m: union('M', { offset: u32, userptr: ulong, planes: pointer, fd: i32 }), length: u32, reserved2: u32,
    $r: union('R', { request_fd: i32, reserved: u32 }) })],
  ['sound/asound.h', 'struct snd_pcm_mmap_status', struct('Status', {
    state: i32, pad1: i32, hw_ptr: ulong, tstamp: struct('Timespec', { tv_sec: long, tv_nsec: long }), suspended_state: i32,
    audio_tstamp: struct('Timespec', { tv_sec: long, tv_nsec: long }) })],
  ['linux/fuse.h', 'struct fuse_entry_out', struct('Entry', {
    nodeid: u64, generation: u64, entry_valid: u64, attr_valid: u64, entry_valid_nsec: u32, attr_valid_nsec: u32,
    attr: struct('Attr', { ino: u64, size: u64, blocks: u64, atime: u64, mtime: u64, ctime: u64, atimensec: u32, mtimensec: u32, ctimensec: u32,
      mode: u32, nlink: u32, uid: u32, gid: u32, rdev: u32, blksize: u32, flags: u32 }) })],
  ['elf.h', 'Elf64_Phdr', struct('Program', {
    p_type: u32, p_flags: u32, p_offset: u64, p_vaddr: u64, p_paddr: u64, p_filesz: u64, p_memsz: u64, p_align: u64 })],
  ['linux/stat.h', 'struct statx', struct('Statx', {
    stx_mask: u32, stx_blksize: u32, stx_attributes: u64, stx_nlink: u32, stx_uid: u32, stx_gid: u32, stx_mode: u16, __spare0: array(u16, 1),
    stx_ino: u64, stx_size: u64, stx_blocks: u64, stx_attributes_mask: u64, stx_atime: StatxTime, stx_btime: StatxTime, stx_ctime: StatxTime,
    stx_mtime: StatxTime, stx_rdev_major: u32, stx_rdev_minor: u32, stx_dev_major: u32, stx_dev_minor: u32, stx_mnt_id: u64,
    stx_dio_mem_align: u32, stx_dio_offset_align: u32, __spare3: array(u64, 12) })],
  ['netinet/in.h', 'struct sockaddr_in6', struct('Address', {
    sin6_family: u16, sin6_port: be(u16), sin6_flowinfo: be(u32), sin6_addr: union('In6', { s6_addr: bytes(16) }), sin6_scope_id: u32 })],
  ['netinet/ip.h', 'struct iphdr', struct('Ip', { // two bit fields of one byte, in an `unsigned int`
    $v: bits(u8, { ihl: 4, version: 4 }), tos: u8, tot_len: be(u16), id: be(u16), frag_off: be(u16), ttl: u8, protocol: u8, check: be(u16),
    saddr: be(u32), daddr: be(u32) }, { abi: 'linux64', offsets: { saddr: 12 }, size: 20 })],
  ['linux/dm-ioctl.h', 'struct dm_ioctl', struct('Mapper', {
    version: array(u32, 3), data_size: u32, data_start: u32, target_count: u32, open_count: i32, flags: u32, event_nr: u32, padding: u32, dev: u64,
    name: char(128), uuid: char(129), data: bytes(7) })],
]; // prettier-ignore
