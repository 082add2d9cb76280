;; Looks at tar headers: what JavaScript does byte by byte takes as long as all else in most images, as they end before
;; V8 has made that fast. V8's first compiler, which all of this is for, makes each instruction some machine code of its
;; own: so numbers are read eight bytes at a time. Memory: a page for the window of the archive, then 1,024 places for
;; folders, each a byte for the length of a name and its bytes, and at the end what fd_pread is given and tells.
;; scripts/plain-header.ts makes plain-header.generated.ts of this.
(module
  (import "wasi_snapshot_preview1" "fd_pread"
    (func $pread (param $file i32) (param $parts i32) (param $count i32) (param $at i64) (param $length i32) (result i32)))
  (memory (export "memory") 4 4)

  ;; What is in the window, by places in the file, and how much the last reading asked for: a header, two, four … a page.
  (global $from (mut i64) (i64.const 0))
  (global $to (mut i64) (i64.const 0))
  (global $room (mut i32) (i32.const 512))
  ;; The header that was seen last, the one that comes then, and where headers end.
  (global $seen (mut i64) (i64.const 0))
  (global $at (mut i64) (i64.const 0))
  (global $end (mut i64) (i64.const 0))

  (func (export "from") (result f64) (f64.convert_i64_s (global.get $from)))
  (func (export "to") (result f64) (f64.convert_i64_s (global.get $to)))
  (func (export "seen") (result f64) (f64.convert_i64_s (global.get $seen)))

  ;; Of places in the file between which headers are looked at.
  (func (export "between") (param $at f64) (param $end f64)
    (global.set $at (i64.trunc_f64_s (local.get $at)))
    (global.set $end (i64.trunc_f64_s (local.get $end))))

  ;; Passes over headers up to one with whose entry somebody may be concerned: where it is in memory. -1 where that is not
  ;; known: behind the last one, and at one that is not plain or cannot be read. Goes on behind what it has told.
  (func (export "next") (result i32)
    (local $start i32) (local $blocks i32)
    (loop $next
      (global.set $seen (global.get $at))
      (if (i64.gt_s (i64.add (global.get $at) (i64.const 512)) (global.get $end)) (then (return (i32.const -1))))
      (if (i32.eqz (call $isThere)) (then (if (i32.eqz (call $fill)) (then (return (i32.const -1))))))
      (local.set $start (i32.wrap_i64 (i64.sub (global.get $at) (global.get $from))))
      (local.set $blocks (call $look (local.get $start)))
      (if (i32.eqz (local.get $blocks)) (then (return (i32.const -1))))
      (if (i32.lt_s (local.get $blocks) (i32.const 0))
        (then
          (call $advance (i32.sub (i32.const 0) (local.get $blocks)))
          (return (local.get $start))))
      (call $advance (local.get $blocks))
      (br $next))
    (unreachable))

  (func $advance (param $blocks i32)
    (global.set $at (i64.add (global.get $at) (i64.shl (i64.extend_i32_u (local.get $blocks)) (i64.const 9)))))

  ;; Whether the whole of the next header is in the window.
  (func $isThere (result i32)
    (i32.and
      (i64.ge_s (global.get $at) (global.get $from))
      (i64.le_s (i64.add (global.get $at) (i64.const 512)) (global.get $to))))

  ;; Headers lie close together or far apart: more is read each time while the next one is near (16 KiB: reading so much more
  ;; costs less than another call), and one header when not. File 0 is the archive.
  (func $fill (result i32)
    (global.set $room
      (select
        (i32.const 512)
        (select
          (i32.const 65536)
          (i32.shl (global.get $room) (i32.const 1))
          (i32.eq (global.get $room) (i32.const 65536)))
        (i32.or
          (i64.gt_s (global.get $at) (i64.add (global.get $to) (i64.const 16384)))
          (i64.lt_s (global.get $at) (global.get $from)))))
    (global.set $from (global.get $at))
    (global.set $to (global.get $at))
    (i32.store (i32.const 196608) (i32.const 0))
    (i32.store (i32.const 196612) (global.get $room))
    (if (call $pread (i32.const 0) (i32.const 196608) (i32.const 1) (global.get $at) (i32.const 196616))
      (then (return (i32.const 0))))
    (global.set $to (i64.add (global.get $at) (i64.load32_u (i32.const 196616))))
    (if (i64.gt_s (global.get $to) (global.get $end)) (then (global.set $to (global.get $end))))
    (call $isThere))

  ;; What the header at `start` says: 0 if it is not plain, else how many blocks there are to the next one, negative where
  ;; somebody may be concerned with its entry. Plain: its checksum is right, in six digits; it is of a file, a link, a
  ;; folder or a device (flags 0 to 6); its size is eleven digits; its name is in one field. Nobody is concerned with a
  ;; file in a folder that was passed, unless its name begins with a dot.
  (func $look (export "look") (param $start i32) (result i32)
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
    (local $place i32)
    (local.set $place (call $placeOf (local.get $start) (local.get $length)))
    (i32.store8 (local.get $place) (local.get $length))
    (memory.copy (i32.add (local.get $place) (i32.const 1)) (local.get $start) (local.get $length)))

  (func (export "forget")
    (global.set $from (i64.const 0))
    (global.set $to (i64.const 0))
    (memory.fill (i32.const 65536) (i32.const 0) (i32.const 131072)))

  ;; Sixteen bytes at a time: a bit for each that is a slash, and for each that ends the name, as does the end of its field.
  (func $isPassed (param $start i32) (result i32)
    (local $at i32) (local $ends i32) (local $slashes i32) (local $folder i32) (local $bytes v128)
    (loop $next
      (local.set $bytes (v128.load (i32.add (local.get $start) (local.get $at))))
      (local.set $ends (i8x16.bitmask (i8x16.eq (local.get $bytes) (v128.const i64x2 0 0))))
      (if (i32.eq (local.get $at) (i32.const 96))
        (then (local.set $ends (i32.or (local.get $ends) (i32.const 0x10)))))
      (local.set $slashes
        (i32.and
          (i8x16.bitmask (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x2f))))
          ;; those before the end: all, where there is none
          (i32.sub (i32.and (local.get $ends) (i32.sub (i32.const 0) (local.get $ends))) (i32.const 1))))
      (if (local.get $slashes)
        (then
          (local.set $folder
            (i32.add (local.get $at) (i32.sub (i32.const 32) (i32.clz (local.get $slashes)))))))
      (if (i32.eqz (local.get $ends))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (br $next))))
    ;; no folder, no name, or one that begins with a dot
    (if (i32.eqz (local.get $folder)) (then (return (i32.const 0))))
    (if (i32.eq (local.get $folder) (i32.add (local.get $at) (i32.ctz (local.get $ends))))
      (then (return (i32.const 0))))
    (if (i32.eq (i32.load8_u (i32.add (local.get $start) (local.get $folder))) (i32.const 0x2e))
      (then (return (i32.const 0))))
    (call $isAt (call $placeOf (local.get $start) (local.get $folder)) (local.get $start) (local.get $folder)))

  ;; Whether this folder is the one that is kept there.
  (func $isAt (param $place i32) (param $start i32) (param $length i32) (result i32)
    (if (i32.ne (i32.load8_u (local.get $place)) (local.get $length)) (then (return (i32.const 0))))
    (loop $next
      (if (i32.lt_s
            (i32.ctz
              (i8x16.bitmask (i8x16.ne (v128.load (local.get $start)) (v128.load offset=1 (local.get $place)))))
            (select (local.get $length) (i32.const 16) (i32.lt_s (local.get $length) (i32.const 16))))
        (then (return (i32.const 0))))
      (local.set $start (i32.add (local.get $start) (i32.const 16)))
      (local.set $place (i32.add (local.get $place) (i32.const 16)))
      (local.set $length (i32.sub (local.get $length) (i32.const 16)))
      (br_if $next (i32.gt_s (local.get $length) (i32.const 0))))
    (i32.const 1))

  ;; Where a folder's name is kept: by the upper ten bits of a hash of its length and of its first, middle and last eight bytes.
  (func $placeOf (param $start i32) (param $length i32) (result i32)
    (local $hash i64)
    (local.set $hash (call $mixed (i64.extend_i32_u (local.get $length)) (i64.load (local.get $start))))
    (if (i32.lt_u (local.get $length) (i32.const 8))
      (then
        ;; what follows the folder is no part of it
        (local.set $hash
          (call $mixed
            (i64.extend_i32_u (local.get $length))
            (i64.shl
              (i64.load (local.get $start))
              (i64.sub (i64.const 64) (i64.shl (i64.extend_i32_u (local.get $length)) (i64.const 3)))))))
      (else
        (local.set $hash
          (call $mixed
            (call $mixed
              (local.get $hash)
              (i64.load (i32.add (local.get $start) (i32.shr_u (i32.sub (local.get $length) (i32.const 8)) (i32.const 1)))))
            (i64.load (i32.add (local.get $start) (i32.sub (local.get $length) (i32.const 8))))))))
    (i32.add
      (i32.const 65536)
      (i32.shl (i32.wrap_i64 (i64.shr_u (local.get $hash) (i64.const 54))) (i32.const 7))))

  (func $mixed (param $hash i64) (param $bytes i64) (result i64)
    (i64.mul
      (i64.xor (i64.rotl (local.get $hash) (i64.const 32)) (local.get $bytes))
      (i64.const 0x9e3779b97f4a7c15)))

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
