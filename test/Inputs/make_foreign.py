"""Print a small language model in tosa, as another compiler could have made it.

Tokens are looked up in a table; two blocks of norm, MLP and residual follow, the sum over all
earlier tokens mixes them in between, and a head gives the logits. Weights are resources with the
names of their tensors, seeded. Only the standard library is used.
"""

import random
import struct

TOKENS, VOCAB, WIDTH, HIDDEN = 8, 16, 8, 12
generator = random.Random(3)
resources, lines = [], []


def emit(name, text):
    name = name.replace(".", "_")
    lines.append(f"  %{name} = {text}")
    return name


def tensor(*shape):
    return f"tensor<{'x'.join(map(str, shape))}xf32>"


def weight(name, *shape, scale=0.5):
    count = 1
    for size in shape:
        count *= size
    data = struct.pack(f"<{count}f", *(generator.gauss(0, scale) for _ in range(count)))
    resources.append(f'      {name}: "0x04000000{data.hex()}"')
    kind = tensor(*shape)
    return emit(name, f'"tosa.const"() <{{values = dense_resource<{name}> : {kind}}}> : () -> {kind}')


def unary(name, op, value):
    kind = tensor(1, TOKENS, HIDDEN)
    return emit(name, f"tosa.{op} %{value} : ({kind}) -> {kind}")


def add(name, left, right, width=WIDTH, rows=TOKENS):
    return emit(name, f"tosa.add %{left}, %{right} : ({tensor(1, TOKENS, width)}, "
                      f"{tensor(1, rows, width)}) -> {tensor(1, TOKENS, width)}")


def multiply(name, left, right, rows, columns):
    return emit(name, f"tosa.mul %{left}, %{right}, %shift : ({tensor(1, TOKENS, WIDTH)}, "
                      f"{tensor(1, rows, columns)}, tensor<1xi8>) -> {tensor(1, TOKENS, WIDTH)}")


def matmul(name, left, right, rows, inner, columns):
    return emit(name, f"tosa.matmul %{left}, %{right}, %zero, %zero : ({tensor(1, rows, inner)}, "
                      f"{tensor(1, inner, columns)}, tensor<1xf32>, tensor<1xf32>) "
                      f"-> {tensor(1, rows, columns)}")


def block(path, value):
    square = multiply(f"{path}_square", value, value, TOKENS, WIDTH)
    narrow = tensor(1, TOKENS, 1)
    total = emit(f"{path}_sum", f"tosa.reduce_sum %{square} {{axis = 2 : i32}} : "
                                f"({tensor(1, TOKENS, WIDTH)}) -> {narrow}")
    inverse = emit(f"{path}_inverse", f"tosa.rsqrt %{total} : ({narrow}) -> {narrow}")
    normed = multiply(f"{path}_normed", value, inverse, TOKENS, 1)
    up = matmul(f"{path}_up_out", normed, weight(f"{path}.up.weight", 1, WIDTH, HIDDEN),
                TOKENS, WIDTH, HIDDEN)
    up = add(f"{path}_biased", up, weight(f"{path}.up.bias", 1, 1, HIDDEN), HIDDEN, 1)
    down = matmul(f"{path}_down_out", unary(f"{path}_tanh", "tanh", up),
                  weight(f"{path}.down.weight", 1, HIDDEN, WIDTH), TOKENS, HIDDEN, WIDTH)
    return add(f"{path}_out", value, down)


def shape(name, *sizes):
    return emit(name, f"tosa.const_shape {{values = dense<{list(sizes)}> : tensor<{len(sizes)}xindex>}}"
                      f" : () -> !tosa.shape<{len(sizes)}>")


def main():
    emit("zero", '"tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>')
    emit("shift", '"tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>')
    shape("row", 1, TOKENS)
    shape("flat", TOKENS, VOCAB)
    table = weight("embed.weight", 1, VOCAB, WIDTH, scale=1)
    emit("ids", f"tosa.reshape %tokens, %row : (tensor<{TOKENS}xi32>, !tosa.shape<2>) "
                f"-> tensor<1x{TOKENS}xi32>")
    hidden = emit("embedded", f"tosa.gather %{table}, %ids : ({tensor(1, VOCAB, WIDTH)}, "
                              f"tensor<1x{TOKENS}xi32>) -> {tensor(1, TOKENS, WIDTH)}")
    hidden = block("layers.0", hidden)
    rows = [[1.0 / (i + 1) if j <= i else 0.0 for j in range(TOKENS)] for i in range(TOKENS)]
    kind = tensor(1, TOKENS, TOKENS)
    emit("causal", f'"tosa.const"() <{{values = dense<{[rows]}> : {kind}}}> : () -> {kind}')
    hidden = add("mixed", hidden, matmul("means", "causal", hidden, TOKENS, TOKENS, WIDTH))
    hidden = block("layers.1", hidden)
    matmul("logits", hidden, weight("head.weight", 1, WIDTH, VOCAB), TOKENS, WIDTH, VOCAB)
    result = tensor(TOKENS, VOCAB)
    emit("result", f"tosa.reshape %logits, %flat : ({tensor(1, TOKENS, VOCAB)}, !tosa.shape<2>) "
                   f"-> {result}")
    print(f"func.func @forward(%tokens: tensor<{TOKENS}xi32>) -> {result} {{")
    print("\n".join(lines))
    print(f"  return %result : {result}\n}}")
    print("{-#\n  dialect_resources: {\n    builtin: {\n" + ",\n".join(resources) +
          "\n    }\n  }\n#-}")


if __name__ == "__main__":
    main()
