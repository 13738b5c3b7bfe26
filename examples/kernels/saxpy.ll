; y = a x + y in LLVM IR, for a processor: no target is named here, so that any will do. What a GPU is to launch is defined as
; ptx_kernel (NVIDIA) or amdgpu_kernel (AMD).
;     kiln run saxpy.ll --kernel saxpy --arg f32=2 --arg 'f32[4096]' --arg 'f32[4096]' --arg i64=4096
define void @saxpy(float %a, ptr %x, ptr %y, i64 %n) {
entry:
  %any = icmp sgt i64 %n, 0
  br i1 %any, label %loop, label %done
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %x_place = getelementptr float, ptr %x, i64 %i
  %y_place = getelementptr float, ptr %y, i64 %i
  %x_value = load float, ptr %x_place
  %y_value = load float, ptr %y_place
  %sum = call float @llvm.fma.f32(float %a, float %x_value, float %y_value)
  store float %sum, ptr %y_place
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}
declare float @llvm.fma.f32(float, float, float)
