;; Looks at tar headers: what JavaScript does byte by byte takes V8 as long as all else in most images, as it has not made
;; that fast before they end. Memory: a page for the window of the archive, then the folder that was remembered last.
;; scripts/plain-header.ts makes plain-header.generated.ts of this.
(module
  (memory (export "memory") 2 2)
  ;; of the remembered folder's name, with its slash; longer than any at first
  (global $remembered (mut i32) (i32.const 101))

  ;; What the header at `start` says if it is plain, and 0 if not. Plain: its checksum is right, in six digits; it is of a
  ;; file, a link, a folder or a device (flags 0 to 6); its size is eleven digits; its name is in one field.
  ;;   bits 0 to 6: the name's length; 7 to 13: of that up to and with its last slash; 14: a file; 15: its folder is the
  ;;   remembered one
  (func (export "plain") (param $start i32) (result i32)
    (local $flag i32) (local $length i32) (local $folder i32) (local $byte i32)
    (local.set $flag (i32.load8_u offset=156 (local.get $start)))
    (if (i32.gt_u (i32.sub (local.get $flag) (i32.const 0x30)) (i32.const 6)) (then (return (i32.const 0))))
    (if (i32.load8_u offset=345 (local.get $start)) (then (return (i32.const 0))))
    (if (i32.eqz (call $isIntact (local.get $start))) (then (return (i32.const 0))))
    (if (i32.eqz (call $blocks (local.get $start))) (then (return (i32.const 0))))
    (block $ended
      (loop $next
        (local.set $byte (i32.load8_u (i32.add (local.get $start) (local.get $length))))
        (br_if $ended (i32.eqz (local.get $byte)))
        (local.set $length (i32.add (local.get $length) (i32.const 1)))
        (if (i32.eq (local.get $byte) (i32.const 0x2f)) (then (local.set $folder (local.get $length))))
        (br_if $next (i32.lt_u (local.get $length) (i32.const 100)))))
    (i32.or
      (i32.or (local.get $length) (i32.shl (local.get $folder) (i32.const 7)))
      (i32.or
        (i32.shl (i32.eq (local.get $flag) (i32.const 0x30)) (i32.const 14))
        (i32.shl (call $isRemembered (local.get $start) (local.get $folder)) (i32.const 15)))))

  ;; Blocks of a file's header and data: to the next header. 0 for a size that is not plain.
  (func $blocks (export "blocks") (param $start i32) (result i32)
    (local $size i64)
    ;; a NUL or a blank ends the digits
    (if (i32.and (i32.load8_u offset=135 (local.get $start)) (i32.const 0xdf)) (then (return (i32.const 0))))
    (local.set $size
      (call $octal
        (i32.add (local.get $start) (i32.const 124)) (i32.add (local.get $start) (i32.const 135))))
    (if (i64.lt_s (local.get $size) (i64.const 0)) (then (return (i32.const 0))))
    (i32.wrap_i64 (i64.shr_u (i64.add (local.get $size) (i64.const 1023)) (i64.const 9))))

  ;; Remembers a folder: the first `length` bytes of the name at `start`.
  (func (export "remember") (param $start i32) (param $length i32)
    (global.set $remembered (local.get $length))
    (memory.copy (i32.const 65536) (local.get $start) (local.get $length)))

  (func (export "forget") (global.set $remembered (i32.const 101)))

  (func $isRemembered (param $start i32) (param $length i32) (result i32)
    (local $at i32)
    (if (i32.ne (local.get $length) (global.get $remembered)) (then (return (i32.const 0))))
    (block $ended
      (loop $next
        (br_if $ended (i32.ge_u (local.get $at) (local.get $length)))
        (if (i32.ne
              (i32.load8_u (i32.add (local.get $start) (local.get $at)))
              (i32.load8_u offset=65536 (local.get $at)))
          (then (return (i32.const 0))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.const 1))

  ;; The checksum is the sum of all bytes, with blanks in its own place, which is digits, a NUL and a blank.
  (func $isIntact (param $start i32) (result i32)
    (local $at i32) (local $end i32) (local $sum i32)
    (local.set $at (i32.add (local.get $start) (i32.const 148)))
    (local.set $end (i32.add (local.get $at) (i32.const 8)))
    (local.set $sum (i32.add (call $sum (local.get $start)) (i32.const 256)))
    (loop $next
      (local.set $sum (i32.sub (local.get $sum) (i32.load8_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (i64.eq
      (i64.extend_i32_u (local.get $sum))
      (call $octal
        (i32.add (local.get $start) (i32.const 148)) (i32.add (local.get $start) (i32.const 154)))))

  ;; Of 512 bytes, 16 at a time: each of eight numbers of 16 bits is the sum of 64 bytes.
  (func $sum (param $at i32) (result i32)
    (local $end i32) (local $sums v128)
    (local.set $end (i32.add (local.get $at) (i32.const 512)))
    (loop $next
      (local.set $sums
        (i16x8.add (local.get $sums) (i16x8.extadd_pairwise_i8x16_u (v128.load (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (local.set $sums (i32x4.extadd_pairwise_i16x8_u (local.get $sums)))
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $sums)) (i32x4.extract_lane 1 (local.get $sums)))
      (i32.add (i32x4.extract_lane 2 (local.get $sums)) (i32x4.extract_lane 3 (local.get $sums)))))

  ;; Of plain digits; -1 for anything else.
  (func $octal (param $at i32) (param $end i32) (result i64)
    (local $digit i32) (local $number i64)
    (loop $next
      (local.set $digit (i32.xor (i32.load8_u (local.get $at)) (i32.const 0x30)))
      (if (i32.gt_u (local.get $digit) (i32.const 7)) (then (return (i64.const -1))))
      (local.set $number
        (i64.or (i64.shl (local.get $number) (i64.const 3)) (i64.extend_i32_u (local.get $digit))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (local.get $number)))
