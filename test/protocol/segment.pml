/* Create, join, last close, replacement of leftovers and unlink of a named segment, where names outlive their users. A file
 * has no name until it is complete; a name is removed inside the gate of the file it means, by a look and then a removal.
 * One statement or atomic block is one access or one kernel call; Killer stops anybody between two.                          */
#define NP 3
#ifndef LIVES
#define LIVES 1
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#define NI 8
#define RAW 0
#define READY 1
#define GONE 2

byte name;               /* the file that the name means, or 0                                                              */
byte fresh = 1;
byte state[NI], gate[NI], live[NI];
bool header[NI];
byte in[NP], gated[NP];  /* ghosts: the segment a living one has joined under this name, the gate it holds                  */
bool unlinked[NI];       /* ghost: a user has unlinked it on purpose                                                        */
bool killed[NP], alive[NP];
byte deaths = DEATHS;

#define SPLIT(p, i) (in[p] != 0 && in[p] != i && !unlinked[in[p]])
inline joined() { assert(state[i] == READY && header[i]);
	assert(!SPLIT(0, i) && !SPLIT(1, i) && !SPLIT(2, i)); in[me] = i }
inline shut() { atomic { gate[i] == 0 -> gate[i] = me + 1; gated[me] = i } }                               /* gate 1       */
inline open() { atomic { gate[i] = 0; gated[me] = 0 } }                                                    /* gate 2       */
#ifdef MUT_UNLINK_BLINDLY          /* removes the name whatever it means */
inline unlink() { name = 0 }
#else
inline unlink() { if :: name == i -> name = 0 :: else -> skip fi }                                         /* unlink 1, 2  */
#endif

proctype Process(byte me) {
	byte life, i; bool counted;
	do
	:: life < LIVES -> life++; alive[me] = true;
	   { skip;
again:
		i = name;                                                                              /* join 1           */
		if
		:: i == 0 ->
create:			atomic { i = fresh; fresh++; assert(fresh < NI) };                             /* create 1         */
#ifndef MUT_LIVE_AFTER_LINK
			atomic { live[i]++; counted = true };                                          /* create 2         */
#endif
#ifdef MUT_LINK_FIRST
			atomic { if :: name == 0 -> name = i :: else -> live[i]--; counted = false; goto again fi };
#endif
			header[i] = true;                                                              /* create 3         */
			state[i] = READY;
#ifndef MUT_LINK_FIRST
			atomic {                                                                       /* create 4         */
				if
				:: name == 0 -> name = i; joined()
#ifdef MUT_LIVE_AFTER_LINK
				:: else -> goto again
#else
				:: else -> live[i]--; counted = false; goto again
#endif
				fi };
#endif
#ifdef MUT_LIVE_AFTER_LINK
			atomic { live[i]++; counted = true };
#endif
#ifdef MUT_LINK_FIRST
			atomic { joined() };
#endif
			skip
		:: i != 0 ->
#ifdef MUT_NO_GATE
			skip;
#else
			shut();                                                                        /* join 2           */
#endif
			if
			:: skip ->                                 /* joinStore */
#ifndef MUT_NO_RECHECK
				if
				:: state[i] == GONE -> unlink(); open(); goto again                    /* join 3           */
				:: else -> skip
				fi;
				if
				:: name != i -> open(); goto again
				:: else -> skip
				fi;
#endif
				atomic { live[i]++; counted = true };                                  /* join 4           */
				atomic { joined() };
#ifndef MUT_NO_GATE
				open()                                                                 /* join 5           */
#endif
			:: skip ->                                 /* createStore: replaces what nobody uses, else refuses */
				if
				:: live[i] == 0 ->                                                     /* remove 1         */
					state[i] = GONE;                                               /* remove 2         */
					unlink();                                                      /* remove 3         */
#ifndef MUT_NO_GATE
					open();
#endif
					goto create
				:: else ->
#ifndef MUT_NO_GATE
					open();
#endif
					goto over
				fi
			fi
		fi;
#ifdef USER_UNLINK                 /* segment.unlink(): those who have it keep it */
		if
		:: skip
		:: skip ->
#ifndef MUT_USER_UNLINK_NO_GATE
			shut();
#endif
			if :: name == i -> atomic { unlinked[i] = true; skip }; name = 0 :: else -> skip fi;
#ifndef MUT_USER_UNLINK_NO_GATE
			open()
#else
			skip
#endif
		fi;
#endif
#ifndef MUT_NO_GATE
		shut();                                                                                /* close 2          */
#endif
		atomic { live[i]--; counted = false; in[me] = 0 };                                     /* close 3          */
		if
		:: live[i] == 0 -> state[i] = GONE; unlink()                                           /* close 4          */
		:: else -> skip
		fi;
#ifndef MUT_NO_GATE
		open();                                                                                /* close 5          */
#endif
over:		skip
	   } unless { killed[me] };
	   atomic {
		if
		:: killed[me] -> if :: counted -> live[i]-- :: else fi; if :: gated[me] -> gate[gated[me]] = 0 :: else fi
		:: else
		fi;
		killed[me] = false; alive[me] = false; counted = false; gated[me] = 0; in[me] = 0; i = 0 }
	:: else -> break
	od
}

proctype Killer() {
end:	do
	:: atomic { deaths > 0 && alive[0] && !killed[0] -> deaths--; killed[0] = true; in[0] = 0 }
	:: atomic { deaths > 0 && alive[1] && !killed[1] -> deaths--; killed[1] = true; in[1] = 0 }
	od
}

/* When all is over: the name means nothing, or what a death left, which the next create or join takes care of. */
proctype Judge() {
	atomic { timeout -> assert(name == 0 || live[name] == 0) ; assert(DEATHS > 0 || name == 0) }
}

init { atomic { run Judge(); run Killer(); run Process(0); run Process(1); run Process(2) } }
