/* Create, join, open for reading and close where a name comes with the memory and dies with its last handle (Windows): a
 * section cannot be made without its name, nobody ever removes it, and the gate is a mutex whose name follows from the
 * segment's, so that it is there before the section is. A squatter may make a section of that name first, zeroed.
 * One statement or atomic block is one access or one kernel call; Killer stops anybody between two.
 * Who makes or joins one claims its slot inside the gate; slots are those of participants.pml.                               */
#define NP 3
#ifndef WRITERS
#define WRITERS NP
#endif
#ifndef LIVES
#define LIVES 1
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef SQUATTERS
#define SQUATTERS 0
#endif
#define NI 8
#define RAW 0
#define READY 1

byte name;               /* the section that the name means, or 0                                                           */
byte fresh = 1;
byte gate;               /* 0, or who is inside + 1                                                                         */
byte handles[NI];        /* open handles of a section; with the last one its name ends                                      */
byte state[NI];
bool magic[NI], header[NI];  /* the first and the last thing that a maker writes before the state                            */
bool foreign[NI];        /* made by a squatter                                                                              */
bool used[NI];           /* ghost: somebody stores data in it; to write its header again would wipe that                    */
byte in[NP];             /* ghost: the section that a living writer has joined                                              */
bool killed[NP], alive[NP];
byte deaths = DEATHS;

#define SPLIT(p, i) (in[p] != 0 && in[p] != i)
inline joined() { assert(state[i] == READY && header[i]);
	assert(!SPLIT(0, i) && !SPLIT(1, i) && !SPLIT(2, i)); in[me] = i; used[i] = true }
#ifdef MUT_NO_GATE
inline enter() { skip }
inline leave() { skip }
#else
inline enter() { atomic { gate == 0 -> gate = me + 1 } }
inline leave() { gate = 0 }
#endif
inline let_go() { atomic { handles[i]--; held = false; if :: handles[i] == 0 && name == i -> name = 0 :: else fi } }

/* Writes the header, the state last. */
inline write_header() {
	atomic { assert(!used[i] && !foreign[i]); magic[i] = true };                                       /* create 3 */
#ifdef MUT_READY_FIRST
	state[i] = READY;
	header[i] = true
#else
	header[i] = true;
	state[i] = READY
#endif
}

proctype Writer(byte me) {
	byte life, i; bool held;
	do
	:: life < LIVES -> life++; alive[me] = true;
	   { skip;
again:
#ifdef MUT_OPEN_FIRST              /* create or open before the gate, and write the header whoever made the section */
		atomic {
			if :: name == 0 -> name = fresh; fresh++ :: else fi;
			i = name; assert(i < NI); handles[i]++; held = true };
		enter();
		if :: state[i] != READY -> write_header() :: else fi;
		atomic { joined() };
		leave();
#else
		atomic { i = name; if :: i != 0 -> handles[i]++; held = true :: else fi };                 /* join 1   */
		if
		:: i == 0 ->
			enter();                                                                       /* gate 1   */
			atomic {                                                                       /* create 1 */
				if
				:: name == 0 -> i = fresh; fresh++; assert(i < NI); name = i; handles[i]++; held = true
				:: else -> i = 0
				fi };
			if
			:: i == 0 -> leave(); goto again
			:: else -> skip
			fi;
			write_header();                                                                /* create 3 */
			atomic { joined() };
			leave()                                                                        /* gate 2   */
		:: else ->
#ifndef MUT_HEAL_OUTSIDE
			enter();                                                                       /* join 2   */
#endif
			if
			:: state[i] == READY -> skip
			:: state[i] == RAW && magic[i] -> write_header()                               /* join 3   */
			:: state[i] == RAW && !magic[i] ->                                             /* refused  */
#ifndef MUT_HEAL_OUTSIDE
				leave();
#endif
				let_go(); goto over
			fi;
			atomic { joined() };                                                           /* join 4   */
#ifndef MUT_HEAL_OUTSIDE
			leave()                                                                        /* join 5   */
#endif
		fi;
#endif
		/* works, then closes: nothing but its own handle is to be given up */
#ifdef MUT_HANDLE_FIRST            /* the handle is closed while the memory is still in use */
		let_go();
		in[me] = 0;
#else
		in[me] = 0;
		let_go();                                                                              /* close 6  */
#endif
over:		skip
	   } unless { killed[me] };
	   atomic {                                                                /* the kernel's part of dying */
		if
		:: killed[me] ->
			if :: held -> let_go() :: else fi;
#ifndef MUT_ABANDONED_IS_LOST      /* a mutex whose owner died is granted to the next */
			if :: gate == me + 1 -> gate = 0 :: else fi
#endif
		:: else
		fi;
		killed[me] = false; alive[me] = false; held = false; in[me] = 0; i = 0 }
	:: else -> break
	od
}

/* openStore for reading: takes no gate; keeps the section while it is open. */
proctype Reader() {
	byte i; bool held; byte me;
	atomic { i = name; if :: i != 0 -> handles[i]++; held = true :: else fi };
	if
	:: i == 0 -> skip
	:: else ->
		if
		:: state[i] == READY -> assert(magic[i] && header[i])
		:: else -> skip                                                     /* refused: SEGMENT_NOT_READY, SEGMENT_FOREIGN */
		fi;
		let_go()
	fi
}

/* A program that makes memory of that name for itself, and is in no gate of ours. */
proctype Squatter() {
	byte i; bool held;
	atomic { if :: name == 0 -> i = fresh; fresh++; assert(i < NI); name = i; handles[i]++; foreign[i] = true :: else fi };
	if
	:: i == 0 -> skip
	:: else -> let_go()
	fi
}

proctype Killer() {
end:	do
	:: atomic { deaths > 0 && alive[0] && !killed[0] -> deaths--; killed[0] = true; in[0] = 0 }
	:: atomic { deaths > 0 && alive[1] && !killed[1] -> deaths--; killed[1] = true; in[1] = 0 }
	od
}

/* When all is over nobody has a handle, so the name means nothing, whoever died where. */
proctype Judge() { atomic { timeout -> assert(name == 0) } }

init { atomic { byte i;
	run Judge(); run Killer(); run Reader();
	if :: SQUATTERS -> run Squatter() :: else fi;
	i = 0; do :: i < WRITERS -> run Writer(i); i++ :: else -> break od
} }
