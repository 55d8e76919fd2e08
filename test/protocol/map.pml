/* The index of a map: writers that insert and delete under the structure lock, that set keys which are there without it, and
 * readers that search and iterate without any lock. Anybody may die between two steps; who takes the lock next finishes what
 * the dead one began. Two slots; an index of three words; keys 1 to 3, all of which begin at word 0, so that every search passes
 * the words of the others. HELD: who inserts may find any free slot held by a writer that set the key it had before, and passes it over.
 * SETS: keys that are there are set too, and slots have their locks and spare cells. A slot is written by one publish and read as
 * one snapshot, and locks are stolen from the dead only: that is the latch's. One statement or atomic block is one access to shared
 * memory. docs/protocol.md names these steps; run.sh checks the properties and the mutations that must break them.            */
#ifndef NW
#define NW 2             /* writers                                                                                            */
#endif
#ifndef OPS
#define OPS 2            /* operations of each                                                                                 */
#endif
#ifndef NR
#define NR 1             /* readers                                                                                            */
#endif
#ifndef LOOKS
#define LOOKS 1          /* searches or iterations of each                                                                     */
#endif
#ifndef KEYS
#define KEYS 3
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#define WORDS (SLOTS + 1)
#define EMPTY 0
#define DELETED 9

byte lock;                       /* writer + 1; 0 = free                                                                       */
byte intent, place, without;     /* the note: slot + 1, word, size without the slot                                            */
byte behind;                     /* and the free slot whose link names the slot, + 1; 0 = none                                 */
byte high, head, size;
byte link[SLOTS];                /* slot + 1 of the next free slot                                                             */
byte turns;                      /* index (turns & 1) is current                                                               */
byte index[2 * WORDS];           /* two indexes of WORDS words: slot + 1                                                       */
byte key[SLOTS];                 /* with present: one publish                                                                  */
bool present[SLOTS];

#ifdef SETS
byte owner[SLOTS];               /* of a slot's lock: writer + 1; 0 = free                                                     */
byte value[SLOTS];               /* with key and present: one publish; the values of key k are k                               */
byte spare_key[SLOTS];           /* the cell that is not current; nobody needs what a publish leaves in it                     */
byte spare_value[SLOTS];
#define RECORD(s) value[s]
#else
#define RECORD(s) key[s]
#endif

bool there[4];                   /* ghost: the keys in the map, by publishes                                                   */
bool kept[8];                    /* ghost: of reader r and key k: there all the time since r began to look                     */
bool wkill[NW], dead[NW + 1];    /* writer NW is the one that looks at the end                                                 */
byte deaths = DEATHS, ended;

#define WORD(t, p) index[((t) & 1) * WORDS + (p)]

#ifdef SETS
inline hold(s) {
	if
	:: atomic { owner[s] == 0 -> owner[s] = me + 1 }                   /* write 1 */
	:: atomic { owner[s] != 0 && dead[owner[s] - 1] -> owner[s] = me + 1 }
	fi }
inline fill(s, k) {
	spare_key[s] = k;                                                  /* write 3 */
	spare_value[s] = k }
inline let_go(s) { owner[s] = 0 }                                      /* write 5 */
#endif

inline comes(s, k) {
#ifdef SETS
	hold(s);
	fill(s, k);
#endif
	atomic {
		assert(!there[k] && !present[s]);                              /* never a key twice, never over another entry          */
#ifdef SETS
		key[s] = spare_key[s]; value[s] = spare_value[s]; spare_key[s] = 0; spare_value[s] = 0;
		assert(key[s] == k && value[s] == k);
#else
		key[s] = k;
#endif
		present[s] = true; there[k] = true }
#ifdef SETS
	;
	let_go(s)
#endif
	}
inline goes(s) {
#ifdef SETS
	hold(s);
#endif
	atomic {
	assert(present[s] && there[key[s]]);
	there[key[s]] = false; kept[key[s]] = false;
#if NR > 1
	kept[4 + key[s]] = false;
#endif
	present[s] = false }
#ifdef SETS
	;
	let_go(s)
#endif
	}

#ifdef SETS
/* A key that is there is set; who finds it and then finds another in its slot, or none, looks for it again. */
inline set(k) {
	do
	:: true ->
		find(k);
		if
		:: found == 0 -> break
		:: else -> s = found - 1
		fi;
#ifndef MUT_NO_SLOT_LOCK         /* without the slot's lock */
		hold(s);
#endif
		if
#ifndef MUT_NO_LOOK              /* without a look whether the slot still has the key */
		:: !(present[s] && key[s] == k) -> let_go(s)                   /* write 2 */
		:: present[s] && key[s] == k ->
#else
		:: true ->
#endif
			fill(s, k);
			atomic {                                                   /* write 4 */
				assert(present[s] && spare_key[s] == key[s] && spare_value[s] == key[s]); /* of the key that the slot has      */
				value[s] = spare_value[s]; spare_key[s] = 0; spare_value[s] = 0 };
#ifndef MUT_NO_SLOT_LOCK
			let_go(s);
#endif
			break
		fi
	od }
#endif

/* Finds k: slot + 1 in `found`, 0 if it is not there; its word in `p`. A live search loads `turns` again before it says no. */
inline find(k) {
	again = true;
	do
	:: again ->
		t = turns;                                                     /* find 1 */
		p = 0; found = 0; again = false;
		do
		:: p < WORDS ->
			w = WORD(t, p);                                            /* find 2 */
			if
			:: w == EMPTY -> break                                     /* find 3 */
			:: w == DELETED -> p++
			:: else ->
#ifdef MUT_TWO_LOOKS             /* the key of one look, the record of another */
				if
				:: atomic { present[w - 1] && key[w - 1] == k -> found = w }; record = RECORD(w - 1); break
				:: else -> p++
				fi
#else
				atomic {
					if
					:: present[w - 1] && key[w - 1] == k -> found = w; record = RECORD(w - 1)
					:: else -> p++
					fi };
				if
				:: found != 0 -> break
				:: else -> skip
				fi
#endif
			fi
		:: else -> break
		od;
#ifndef MUT_NO_SECOND_LOOK       /* no, without a second look at turns */
		if
		:: found == 0 && turns != t -> again = true                    /* find 4 */
		:: else -> skip
		fi
#endif
	:: else -> break
	od }

inline finish() {
	s = intent - 1;
#ifdef MUT_CLEAR_FIRST           /* the note goes before the work is done */
	intent = 0;
#endif
	if
	:: present[s] -> live = 1
	:: else ->
		live = 0;
		q = place;
		if
		:: WORD(turns, q) == EMPTY -> skip
#ifndef MUT_EMPTY                /* a word becomes empty although searches have to pass it */
		:: WORD(turns, q) != EMPTY && WORD(turns, (q + 1) % WORDS) != EMPTY ->
			WORD(turns, q) = DELETED                                   /* finish 1 */
		:: WORD(turns, q) != EMPTY && WORD(turns, (q + 1) % WORDS) == EMPTY ->
#else
		:: WORD(turns, q) != EMPTY ->
#endif
			WORD(turns, q) = EMPTY;                                    /* finish 1, empty */
			q = (q + WORDS - 1) % WORDS;
			do
			:: WORD(turns, q) == DELETED -> WORD(turns, q) = EMPTY; q = (q + WORDS - 1) % WORDS
			:: else -> break
			od
		fi
	fi;
#ifndef MUT_NO_BEHIND            /* a slot in the middle of the list stays there */
	if
	:: behind != 0 && link[behind - 1] == s + 1 ->
		link[behind - 1] = link[s]                                     /* finish 3, behind */
	:: else -> skip
	fi;
#endif
	if
	:: live && head == s + 1 -> head = link[s]                         /* finish 3, present */
	:: !live && s < high && head != s + 1 ->
		link[s] = head;                                                /* finish 3, link */
		head = s + 1                                                   /* finish 3 */
	:: else -> skip
	fi;
	size = without + live;                                             /* finish 4 */
	intent = 0                                                         /* finish 5 */
}

inline acquire() {
	if
	:: atomic { lock == 0 -> lock = me + 1 }                           /* change 1 */
	:: atomic { lock != 0 && dead[lock - 1] -> lock = me + 1 }
	fi;
#ifndef MUT_NO_FINISH            /* who steals does not finish */
	if
	:: intent != 0 -> finish()                                         /* change 2 */
	:: else -> skip
	fi
#endif
}

inline note(s1, b1, p1, size1) {
#ifndef MUT_NO_NOTE
	behind = b1; place = p1; without = size1; intent = s1 + 1                       /* change 4 */
#else
	skip
#endif
}

/* The index anew; with REBUILD at any insert, not only where deleted words fill it. */
inline rebuild() {
#ifdef MUT_IN_PLACE              /* into the index that is current */
#define OTHER turns
#else
#define OTHER (turns + 1)
#endif
	q = 0;
	do
	:: q < WORDS -> WORD(OTHER, q) = EMPTY; q++                        /* rebuild 1 */
	:: else -> break
	od;
	s = 0; q = 0;
	do
	:: s < high ->
		if
		:: present[s] -> WORD(OTHER, q) = s + 1; q++
		:: else -> skip
		fi;
		s++
	:: else -> break
	od;
	turns = turns + 1                                                  /* rebuild 3 */
}

/* The slot for an insert, SLOTS if there is none; `b` is the free slot before it, + 1. Nobody else changes what it reads. */
inline choose() { atomic {
	b = 0;
	if
	:: head != 0 -> s = head - 1
	:: else -> s = high
	fi;
#ifdef HELD
	if
	:: head != 0 ->
		do
		:: link[s] != 0 -> b = s + 1; s = link[s] - 1                  /* this one is held */
		:: link[s] == 0 && high < SLOTS -> b = 0; s = high; break      /* all are */
		:: break
		od
	:: else -> skip
	fi
#endif
	} }

inline insert(k) {
	if
	:: head != 0 || high < SLOTS ->
#ifdef REBUILD
		if
		:: true -> rebuild()
		:: true -> skip
		fi;
#endif
		choose();
		p = 0;
		do
		:: p < WORDS && WORD(turns, p) != EMPTY && WORD(turns, p) != DELETED -> p++
		:: else -> break
		od;
		assert(p < WORDS);                                             /* there is a free word */
#ifdef MUT_TAKE_FIRST            /* a slot is taken off the list before the note */
		if
		:: b != 0 -> link[b - 1] = link[s]
		:: else -> skip
		fi;
#endif
		note(s, b, p, size);
#ifdef MUT_NO_NOTE
		if
		:: head == s + 1 -> head = link[s]
		:: else -> skip
		fi;
#endif
#ifndef MUT_HIGH_AFTER
		if
		:: s == high -> high = s + 1                                   /* insert 1 */
		:: else -> skip
		fi;
#endif
#ifndef MUT_WORD_AFTER
		WORD(turns, p) = s + 1;                                        /* insert 2 */
#endif
		comes(s, k);                                                   /* insert 3 */
#ifdef MUT_WORD_AFTER            /* the key is there before the index leads to it */
		WORD(turns, p) = s + 1;
#endif
#ifdef MUT_HIGH_AFTER            /* the key is there before iterations come to its slot */
		if
		:: s == high -> high = s + 1
		:: else -> skip
		fi;
#endif
#ifdef MUT_NO_NOTE
		size++
#else
		finish()
#endif
	:: else -> skip                                                    /* full */
	fi }

proctype Writer(byte me) {
	byte n, k, s, b, t, p, q, w, found, live, record; bool again;
	{
		do
		:: n < OPS ->
			n++;
			if
			:: k = 1
			:: k = 2
#if KEYS > 2
			:: k = 3
#endif
			fi;
			if
			:: acquire();
				atomic { find(k) };                                    /* change 3: nobody else changes what it reads */
				if
				:: found == 0 -> insert(k)
				:: else ->
					s = found - 1;
					note(s, 0, p, size - 1);
					goes(s);                                           /* delete 1 */
#ifdef MUT_NO_NOTE
					size = size - 1; WORD(turns, p) = DELETED; link[s] = head; head = s + 1
#else
					finish()
#endif
				fi;
				lock = 0                                               /* change 7 */
#ifdef SETS
			:: set(k)
#endif
			fi;
			k = 0; s = 0; b = 0; t = 0; p = 0; q = 0; w = 0; found = 0; live = 0; record = 0
		:: else -> break
		od;
		atomic { ended++ }
	} unless { wkill[me] -> atomic { dead[me] = true; ended++ } }
}

proctype Reader(byte r) {
	byte n, k, s, t, p, w, found, record, seen; bool again;
	do
	:: n < LOOKS ->
		n++;
		if
		:: k = 1
		:: k = 2
		fi;
		kept[r * 4 + k] = there[k];
		if
		:: find(k);
			if
			:: found != 0 -> assert(record == k)                       /* never the record of another key */
			:: else -> assert(!kept[r * 4 + k])                        /* never misses what is there all the time */
			fi
		:: s = 0; seen = 0;                                            /* an iteration */
			do
			:: s < high ->
				atomic { if :: present[s] && key[s] == k -> seen++ :: else -> skip fi; s++ }
			:: else -> break
			od;
			assert(!kept[r * 4 + k] || seen == 1)                      /* exactly once */
		fi;
		k = 0; s = 0; t = 0; p = 0; w = 0; found = 0; record = 0; seen = 0
	:: else -> break
	od
}

proctype Killer() {
	byte i;
	do
	:: atomic { deaths > 0 -> deaths--; i = 0; do :: i < NW - 1 -> i++ :: break od; wkill[i] = true }
	:: break
	od
}

/* When the writers have ended: the next one finishes, and then everything agrees. */
proctype Judge() {
	byte me = NW, k, s, t, p, q, w, found, live, record, count, free, words; bool again;
	atomic { ended == NW -> skip };
	acquire();
	atomic {
		k = 1;
		do
		:: k <= KEYS ->
			find(k);
			assert((found != 0) == there[k]);
			k++
		:: else -> break
		od;
		s = 0;
		do
		:: s < SLOTS ->
			if :: present[s] -> count++; assert(s < high) :: else -> skip fi;
			s++
		:: else -> break
		od;
		assert(size == count);
		free = SLOTS - high; s = head;
		do
		:: s != 0 && free <= SLOTS -> assert(!present[s - 1]); free++; s = link[s - 1]
		:: else -> break
		od;
		assert(free == SLOTS - count);                                 /* no slot is lost, none is free twice */
		p = 0;
		do
		:: p < WORDS ->
			w = WORD(turns, p);
			if :: w != EMPTY && w != DELETED -> words++; assert(present[w - 1]) :: else -> skip fi;
			p++
		:: else -> break
		od;
		assert(words == count)                                         /* one word for each entry */
	}
}

init { atomic { byte i;
#ifdef USED                      /* every slot was used and is free: 1, 2, ... */
	high = SLOTS; head = 1;
	i = 1; do :: i < SLOTS -> link[i - 1] = i + 1; i++ :: else -> break od;
#endif
	run Judge();
	run Killer();
	i = 0; do :: i < NR -> run Reader(i); i++ :: else -> break od;
	i = 0; do :: i < NW -> run Writer(i); i++ :: else -> break od
} }
