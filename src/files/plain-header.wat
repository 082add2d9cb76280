;; Looks at tar headers: what JavaScript does byte by byte takes as long as all else in most images, as they end before
;; V8 has made that fast. V8's first compiler, which all of this is for, makes each instruction some machine code of its
;; own: so numbers are read eight bytes at a time. Memory: a page for the window of the archive, then 1,024 places for
;; folders, each a byte for the length of a name and its bytes. scripts/plain-header.ts makes plain-header.generated.ts
;; of this.
(module
  (memory (export "memory") 3 3)

  ;; What the header at `start` says: 0 if it is not plain, else how many blocks there are to the next one, negative where
  ;; somebody may be concerned with its entry. Plain: its checksum is right, in six digits; it is of a file, a link, a
  ;; folder or a device (flags 0 to 6); its size is eleven digits; its name is in one field. Nobody is concerned with a
  ;; file in a folder that was passed, unless its name begins with a dot.
  (func (export "look") (param $start i32) (result i32)
    (local $flag i32) (local $blocks i32)
    (local.set $flag (i32.load8_u offset=156 (local.get $start)))
    (if (i32.gt_u (i32.sub (local.get $flag) (i32.const 0x30)) (i32.const 6)) (then (return (i32.const 0))))
    (if (i32.load8_u offset=345 (local.get $start)) (then (return (i32.const 0))))
    (if (i32.eqz (call $isIntact (local.get $start))) (then (return (i32.const 0))))
    (local.set $blocks (call $blocks (local.get $start)))
    (if (i32.eqz (local.get $blocks)) (then (return (i32.const 0))))
    ;; what is no file has no data, whatever its size says
    (if (i32.ne (local.get $flag) (i32.const 0x30)) (then (return (i32.const -1))))
    (if (call $isPassed (local.get $start)) (then (return (local.get $blocks))))
    (i32.sub (i32.const 0) (local.get $blocks)))

  ;; The folder whose name, with its slash, is the first `length` bytes at `start` is passed from now on, in the place of
  ;; another one whose place is the same.
  (func (export "pass") (param $start i32) (param $length i32)
    (local $at i32) (local $hash i32) (local $place i32)
    (loop $next
      (local.set $hash
        (call $hashed (local.get $hash) (i32.load8_u (i32.add (local.get $start) (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $length))))
    (local.set $place (call $placeOf (local.get $hash)))
    (i32.store8 (local.get $place) (local.get $length))
    (memory.copy (i32.add (local.get $place) (i32.const 1)) (local.get $start) (local.get $length)))

  (func (export "forget") (memory.fill (i32.const 65536) (i32.const 0) (i32.const 131072)))

  (func $isPassed (param $start i32) (result i32)
    (local $at i32) (local $byte i32) (local $hash i32) (local $folder i32) (local $place i32)
    (block $ended
      (loop $next
        (local.set $byte (i32.load8_u (i32.add (local.get $start) (local.get $at))))
        (br_if $ended (i32.eqz (local.get $byte)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $hash (call $hashed (local.get $hash) (local.get $byte)))
        (if (i32.eq (local.get $byte) (i32.const 0x2f))
          (then
            (local.set $folder (local.get $at))
            (local.set $place (local.get $hash))))
        (br_if $next (i32.lt_u (local.get $at) (i32.const 100)))))
    ;; no folder, no name, or one that begins with a dot
    (if (i32.eqz (local.get $folder)) (then (return (i32.const 0))))
    (if (i32.eq (local.get $folder) (local.get $at)) (then (return (i32.const 0))))
    (if (i32.eq (i32.load8_u (i32.add (local.get $start) (local.get $folder))) (i32.const 0x2e))
      (then (return (i32.const 0))))
    (local.set $place (call $placeOf (local.get $place)))
    (if (i32.ne (i32.load8_u (local.get $place)) (local.get $folder)) (then (return (i32.const 0))))
    (local.set $at (i32.const 0))
    (loop $next
      (if (i32.ne
            (i32.load8_u (i32.add (local.get $start) (local.get $at)))
            (i32.load8_u offset=1 (i32.add (local.get $place) (local.get $at))))
        (then (return (i32.const 0))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $folder))))
    (i32.const 1))

  (func $hashed (param $hash i32) (param $byte i32) (result i32)
    (i32.mul (i32.xor (local.get $hash) (local.get $byte)) (i32.const 0x9e3779b1)))

  ;; Where a folder's name is kept: the upper ten bits of its hash count, mixed once more.
  (func $placeOf (param $hash i32) (result i32)
    (i32.add
      (i32.const 65536)
      (i32.shl
        (i32.shr_u
          (call $hashed (local.get $hash) (i32.shr_u (local.get $hash) (i32.const 15)))
          (i32.const 22))
        (i32.const 7))))

  ;; Blocks of a file's header and data. 0 for a size that is not plain.
  (func $blocks (param $start i32) (result i32)
    (local $upper i64) (local $lower i64)
    ;; a NUL or a blank ends the digits
    (if (i32.and (i32.load8_u offset=135 (local.get $start)) (i32.const 0xdf)) (then (return (i32.const 0))))
    ;; the first eight digits, and the last eight, which have five of them, too
    (local.set $upper (call $octal (i64.load offset=124 (local.get $start))))
    (local.set $lower (call $octal (i64.load offset=127 (local.get $start))))
    (if (i64.lt_s (i64.or (local.get $upper) (local.get $lower)) (i64.const 0)) (then (return (i32.const 0))))
    (i32.wrap_i64
      (i64.shr_u
        (i64.add
          (i64.or (i64.shl (i64.shr_u (local.get $upper) (i64.const 15)) (i64.const 24)) (local.get $lower))
          (i64.const 1023))
        (i64.const 9))))

  ;; The checksum is the sum of all bytes, with blanks in its own place, which is six digits and two NULs or blanks.
  (func $isIntact (param $start i32) (result i32)
    (local $field i64)
    (local.set $field (i64.load offset=148 (local.get $start)))
    (if (i64.ne (i64.and (local.get $field) (i64.const 0xdfdf000000000000)) (i64.const 0))
      (then (return (i32.const 0))))
    (i64.eq
      (call $octal
        ;; two zeros before the six digits
        (i64.or (i64.shl (local.get $field) (i64.const 16)) (i64.const 0x3030)))
      (i64.extend_i32_u
        (i32.sub
          (i32.add (call $sum (local.get $start)) (i32.const 256))
          (call $sumOfEight (local.get $field))))))

  (func $sumOfEight (param $bytes i64) (result i32)
    (i32.wrap_i64
      (i64.shr_u
        (i64.mul
          (i64.add
            (i64.and (local.get $bytes) (i64.const 0x00ff00ff00ff00ff))
            (i64.and (i64.shr_u (local.get $bytes) (i64.const 8)) (i64.const 0x00ff00ff00ff00ff)))
          (i64.const 0x0001000100010001))
        (i64.const 48))))

  ;; Of 512 bytes, 32 at a time: each of eight numbers of 16 bits is the sum of 64 bytes.
  (func $sum (param $at i32) (result i32)
    (local $end i32) (local $sums v128)
    (local.set $end (i32.add (local.get $at) (i32.const 512)))
    (loop $next
      (local.set $sums
        (i16x8.add
          (i16x8.add (local.get $sums) (i16x8.extadd_pairwise_i8x16_u (v128.load (local.get $at))))
          (i16x8.extadd_pairwise_i8x16_u (v128.load offset=16 (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 32)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (local.set $sums (i32x4.extadd_pairwise_i16x8_u (local.get $sums)))
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $sums)) (i32x4.extract_lane 1 (local.get $sums)))
      (i32.add (i32x4.extract_lane 2 (local.get $sums)) (i32x4.extract_lane 3 (local.get $sums)))))

  ;; Of eight digits, the first in the lowest byte; -1 for anything else. Two, four, eight digits become one number.
  (func $octal (param $digits i64) (result i64)
    (local.set $digits (i64.xor (local.get $digits) (i64.const 0x3030303030303030)))
    (if (i64.ne (i64.and (local.get $digits) (i64.const 0xf8f8f8f8f8f8f8f8)) (i64.const 0))
      (then (return (i64.const -1))))
    (local.set $digits
      (i64.and
        (i64.or (i64.shl (local.get $digits) (i64.const 3)) (i64.shr_u (local.get $digits) (i64.const 8)))
        (i64.const 0x003f003f003f003f)))
    (local.set $digits
      (i64.and
        (i64.or (i64.shl (local.get $digits) (i64.const 6)) (i64.shr_u (local.get $digits) (i64.const 16)))
        (i64.const 0x00000fff00000fff)))
    (i64.and
      (i64.or (i64.shl (local.get $digits) (i64.const 12)) (i64.shr_u (local.get $digits) (i64.const 32)))
      (i64.const 0xffffff))))
