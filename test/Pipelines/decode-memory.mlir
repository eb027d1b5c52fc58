// One token takes no memory from the system: all buffers have places on the stack.
// DEFINE: %{family} =
// DEFINE: %{check} = %python %S/../Inputs/make_checkpoint.py %{family} %t.%{family} && ssmq-translate --import-hf %t.%{family} | ssmq-opt --ssmq-bufferize | %python %S/../Inputs/check_decode.py
// REDEFINE: %{family} = mamba
// RUN: %{check}
// REDEFINE: %{family} = mamba2
// RUN: %{check}
// REDEFINE: %{family} = bamba
// RUN: %{check}
// REDEFINE: %{family} = granitemoehybrid
// RUN: %{check}
