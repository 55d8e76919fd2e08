/* Following changes without a change counter: a writer publishes by adding to the record's sequence and then looks at
 * `armed`; a watcher arms, then looks at the sequences themselves. Two records, one armed word, a latched bell per watcher.
 * One statement or atomic block is one access to shared memory or one kernel call; anybody may die between two of them.
 * docs/protocol.md names these steps; run.sh checks the property and the mutations that must break it.                    */
#ifndef NW
#define NW 2             /* writers; writer i writes record i                                                            */
#endif
#ifndef NR
#define NR 2             /* watchers                                                                                     */
#endif
#ifndef K
#define K 1              /* publishes per writer                                                                         */
#endif
#ifndef WDEATHS
#define WDEATHS 0
#endif
#ifndef RDEATHS
#define RDEATHS 1
#endif
#define RECORDS 2

byte sequence[RECORDS];
bool armed, bell[NR], tick[NR];
byte delivered[NR * RECORDS];
byte told[RECORDS];      /* ghost: what a writer that lived has announced                                                */
bool wkill[NW], rkill[NR], rdead[NR];
byte wdeaths = WDEATHS, rdeaths = RDEATHS;
#ifdef MUT_PLAIN_ARM
bool buffered[NR];       /* x86-TSO: the store to `armed` still in the store buffer                                       */
#endif

inline ring() { atomic { bell[0] = true;
#if NR > 1
	bell[1] = true;
#endif
	skip } }

proctype Writer(byte me) {
	byte k; bool a;
	{
		do
		:: k < K -> k++;
#ifdef MUT_CHECK_FIRST     /* armed looked at before the publish */
			a = armed;
			sequence[me]++;
#else
			sequence[me]++;                                                /* publish: Atomics.add */
			a = armed;                                                     /* announce 1: load */
#endif
			if
			:: a -> atomic { a = armed; armed = false };                   /* announce 2: exchange */
				if
				:: a -> ring()                                             /* announce 3 */
				:: else -> skip
				fi
			:: else -> skip
			fi;
			atomic { told[me] = sequence[me]; a = false }
		:: else -> break
		od
	} unless { wkill[me] }
}

#define LOOK(x) \
	if \
	:: sequence[x] != delivered[r * RECORDS + x] -> atomic { delivered[r * RECORDS + x] = sequence[x]; news = true } \
	:: else -> skip \
	fi

proctype Watcher(byte r) {
	bool news;
	{
		do
		:: true ->
			news = false;
#ifndef MUT_ARM_AFTER
#ifdef MUT_PLAIN_ARM
			buffered[r] = true;
#else
			armed = true;                                                  /* watch 2: Atomics.store */
#endif
#endif
			LOOK(0); LOOK(1);                                              /* watch 3: each its own load */
#ifdef MUT_ARM_AFTER       /* look, then arm */
			armed = true;
#endif
			if
			:: news -> skip
			:: else ->
				if                                                         /* watch 4: sleep */
				:: atomic { bell[r] -> bell[r] = false }
#ifdef TIMER
				:: atomic { tick[r] -> tick[r] = false }                       /* looks again by going round */
#endif
				fi
			fi
		od
	} unless { rkill[r] };
	rdead[r] = true
}

proctype Killer() {
	byte i;
	do
	:: atomic { wdeaths > 0 -> wdeaths--; i = 0; do :: i < NW - 1 -> i++ :: break od; wkill[i] = true }
	:: atomic { rdeaths > 0 -> rdeaths--; i = 0; do :: i < NR - 1 -> i++ :: break od; rkill[i] = true }
	:: break
	od
}

#ifdef MUT_PLAIN_ARM
proctype StoreBuffer() {
end:	do
	:: atomic { buffered[0] -> armed = true; buffered[0] = false }
#if NR > 1
	:: atomic { buffered[1] -> armed = true; buffered[1] = false }
#endif
	od
}
#endif

/* All is quiet: every live watcher sleeps and nothing will wake it any more. */
proctype Judge() {
	byte r, x;
#ifdef TIMER
	atomic { timeout -> tick[0] = true;
#if NR > 1
		tick[1] = true;
#endif
		skip };
#endif
	atomic { timeout ->
		r = 0;
		do
		:: r < NR ->
			x = 0;
			do
			:: x < RECORDS && !rdead[r] ->
				assert(delivered[r * RECORDS + x] >= told[x]);
#ifdef TIMER
				assert(delivered[r * RECORDS + x] == sequence[x]);
#endif
				x++
			:: else -> break
			od;
			r++
		:: else -> break
		od
	}
}

init { atomic { byte i;
	run Judge();
	run Killer();
#ifdef MUT_PLAIN_ARM
	run StoreBuffer();
#endif
	i = 0; do :: i < NR -> run Watcher(i); i++ :: else -> break od;
	i = 0; do :: i < NW -> run Writer(i); i++ :: else -> break od
} }
