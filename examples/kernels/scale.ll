; Multiplies n numbers by one. LLVM IR names no target of its own here, so that kiln compiles it for any processor:
;     kiln run examples/kernels/scale.ll --kernel scale --arg f32=2 --arg 'f32[4096]' --arg i64=4096
define void @scale(float %by, ptr %data, i64 %n) {
entry:
  %any = icmp sgt i64 %n, 0
  br i1 %any, label %loop, label %done
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %place = getelementptr float, ptr %data, i64 %i
  %before = load float, ptr %place
  %after = fmul float %before, %by
  store float %after, ptr %place
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}
