"""Write a seeded random program: random_program.py SEED OUT.mlir OUT.tokens.json

Two branches from embeddings of their own go through layers of random kind, shape and format and are
added up. Rounded activations come directly from an embedding, so that no difference in the last bit
decides a rounding; of rounded states few do, which a seed must not have. Weights for it are those of make_weights.py.
"""

import json
import random
import sys


def choose_groups(rng, size):
    return rng.choice([n for n in (1, 2, 3, 4) if size % n == 0])


class Program:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.vocabulary = self.rng.randint(5, 30)
        self.globals, self.body, self.states = [], [], []
        self.count = 0

    def name(self, prefix="v"):
        self.count += 1
        return f"{prefix}{self.count}"

    def line(self, text):
        self.body.append("  " + text)

    def value(self, text):
        name = self.name()
        self.line(f"%{name} = {text}")
        return f"%{name}"

    def table(self, type, suffix=""):
        """A global: make_weights.py draws by the end of its name."""
        name = self.name("g") + suffix
        self.globals.append(f"ml_program.global private @{name}(#ml_program.extern : {type}) : {type}")
        return self.value(f"ml_program.global_load_const @{name} : {type}"), type

    def floats(self, shape, suffix="", kinds=("f32", "f16", "bf16")):
        return self.table(f"tensor<{shape}x{self.rng.choice(kinds)}>", suffix)

    def state(self, type):
        name = self.name("state_")
        self.states.append([f"%{name}", type, name, None])
        return self.states[-1]

    def embed(self, width):
        table, type = self.floats(f"{self.vocabulary}x{width}")
        return self.value(f"ssm.embedding %tokens, {table} : (tensor<?xi32>, {type}) "
                          f"-> tensor<?x{width}xf32>")

    def unary(self, op, value, type):
        return self.value(f"{op} {value} : {type}")

    def steps(self, width):
        """log1p(exp(x)) of an embedding: positive."""
        type = f"tensor<?x{width}xf32>"
        return self.unary("math.log1p", self.unary("math.exp", self.embed(width), type), type)

    def decay(self, shape):
        table, type = self.floats(shape, kinds=("f32",))
        return self.unary("arith.negf", self.unary("math.exp", table, type), type), type

    # Each takes a value and its width, and gives those of its result.

    def norm(self, x, width):
        groups = choose_groups(self.rng, width)
        weight, type = self.floats(width, "_norm")
        if self.rng.random() < 0.3:
            return self.value(f"ssm.layer_norm {x}, {weight} {{eps = 1.0e-5 : f32}} : "
                              f"(tensor<?x{width}xf32>, {type}) -> tensor<?x{width}xf32>"), width
        return self.value(f"ssm.rms_norm {x}, {weight} {{eps = 1.0e-5 : f32, groups = {groups} : i64}}"
                          f" : (tensor<?x{width}xf32>, {type}) -> tensor<?x{width}xf32>"), width

    def linear(self, x, width, rows=None, is_exact=False):
        rng = self.rng
        rows = rows or rng.randint(1, 80)
        operands, types, attributes = [], [f"tensor<?x{width}xf32>"], ""
        kind = rng.choice(["floats", "tiles", "tiles", "rows"])
        if kind == "floats":
            weight, type = self.floats(f"{rows}x{width}")
            types.append(type)
        else:
            bits = rng.choice([4, 8])
            group = rng.choice([width, rng.randint(1, width), 16, 32])
            group = min(group, width)
            groups = -(-width // group)
            attributes = f"group_size = {group} : i64"
            of_groups = f"{rows}x{groups}"
            if kind == "tiles":
                block, tiles = 32 // bits, -(-rows // 16)
                blocks = sum(-(-min(group, width - at) // block) for at in range(0, width, group))
                weight, type = self.table(f"tensor<{tiles}x{blocks * 64}xi8>", "_codes")
                attributes += f", packed_bits = {bits} : i64, tile_rows = 16 : i64"
                if rows % 16:
                    attributes += f", rows = {rows} : i64"
                of_groups = f"{tiles}x{groups}x16"
            else:
                weight, type = self.table(f"tensor<{rows}x{width}x!quant.any<i{bits}:f32>>")
            types.append(type)
            scales, type = self.floats(of_groups, "_scales", kinds=("f32", "f16"))
            operands.append(f"scales {scales}")
            types.append(type)
            if rng.random() < 0.5:
                points, type = self.table(f"tensor<{of_groups}xi8>", "_zero_points")
                operands.append(f"zero_points {points}")
                types.append(type)
            if is_exact and rng.random() < 0.7:
                form = rng.choice(["per_token", "per_tensor static=100", f"group={group}"])
                ranges = "{ranges = array<f32: -0.5, 0.45>} " if "static" in form else ""
                if "group" not in form or width % group == 0:
                    x = self.value(f'ssm.fake_quantize {x} as <"i8 sym {form}"> {ranges}'
                                   f": tensor<?x{width}xf32>")
        if rng.random() < 0.5:
            bias, type = self.floats(rows)
            operands.append(f"bias {bias}")
            types.append(type)
        attributes = f"{{{attributes}}} " if attributes else ""
        return self.value(f"ssm.linear {x}, {weight} {' '.join(operands)} {attributes}: "
                          f"({', '.join(types)}) -> tensor<?x{rows}xf32>"), rows

    def conv(self, x, width):
        taps = self.rng.randint(2, 5)
        weight, type = self.floats(f"{width}x1x{taps}")
        state = self.state(f"tensor<{taps - 1}x{width}xf32>")
        y, state[3] = f"%{self.name()}", f"%{self.name()}"
        self.line(f"{y}, {state[3]} = ssm.causal_conv1d {x}, {weight} state {state[0]} : "
                  f"(tensor<?x{width}xf32>, {type}, {state[1]}) -> (tensor<?x{width}xf32>, {state[1]})")
        return self.unary("math.tanh", y, f"tensor<?x{width}xf32>"), width

    def selective_scan(self, x, width):
        states = self.rng.choice([1, 5, 16, self.rng.randint(2, 24)])
        a, a_type = self.decay(f"{width}x{states}")
        b, c, dt = self.embed(states), self.embed(states), self.steps(width)
        state = self.state(f"tensor<{width}x{states}xf32>")
        return self.scan("selective_scan", x, width, dt, width, a, a_type, b, c, states, state)

    def ssd_scan(self, x, width):
        rng = self.rng
        heads = rng.choice([n for n in range(1, 9) if width % n == 0])
        groups = rng.choice([n for n in range(1, heads + 1) if heads % n == 0])
        states = rng.choice([3, 8, 16, rng.randint(1, 40)])
        a, a_type = self.decay(heads)
        b, c, dt = self.embed(groups * states), self.embed(groups * states), self.steps(heads)
        state = self.state(f"tensor<{heads}x{width // heads}x{states}xf32>")
        return self.scan("ssd_scan", x, width, dt, heads, a, a_type, b, c, groups * states, state)

    def diagonal_scan(self, x, width):
        """With a state in f32, or rounded behind each token; not by all heads, which GPUs do not do."""
        rng = self.rng
        shape = f"{width}x{2 * rng.randint(1, 20)}"
        (a, a_type), (b, b_type), (c, c_type) = (self.floats(shape) for _ in range(3))
        state = self.state(f"tensor<{shape}xf32>")
        form = rng.choice(["", "i8 asym per_head", "i6 sym per_head", "i4 asym group=4",
                           "i16 asym per_head", "bf16", "f8E4M3 per_channel"])
        form = f'{{state_format = #ssm.format<"{form}">}} ' if form else ""
        y, state[3] = f"%{self.name()}", f"%{self.name()}"
        self.line(f"{y}, {state[3]} = ssm.diagonal_scan {x} a {a} b {b} c {c} state {state[0]} {form}: "
                  f"(tensor<?x{width}xf32>, {a_type}, {b_type}, {c_type}, {state[1]}) "
                  f"-> (tensor<?x{width}xf32>, {state[1]})")
        return y, width

    def scan(self, op, x, width, dt, steps, a, a_type, b, c, columns, state):
        y, state[3] = f"%{self.name()}", f"%{self.name()}"
        self.line(f"{y}, {state[3]} = ssm.{op} {x} dt {dt} a {a} b {b} c {c} state {state[0]} : "
                  f"(tensor<?x{width}xf32>, tensor<?x{steps}xf32>, {a_type}, "
                  f"tensor<?x{columns}xf32>, tensor<?x{columns}xf32>, {state[1]}) "
                  f"-> (tensor<?x{width}xf32>, {state[1]})")
        return y, width

    def attention(self, x, width):
        rng = self.rng
        heads = rng.choice([n for n in range(1, 9) if width % n == 0])
        size, shared = width // heads, rng.choice([n for n in range(1, heads + 1) if heads % n == 0])
        kept = heads // shared * size
        k, v = self.embed(kept), self.embed(kept)
        q_type, k_type = f"tensor<?x{width}xf32>", f"tensor<?x{kept}xf32>"
        if size >= 2:
            turned = rng.randint(1, size // 2) * 2
            form = f"{{head_dim = {size} : i64, rotary_dim = {turned} : i64, theta = 100.0 : f32}}"
            x = self.value(f"ssm.rotary {x} at %position {form} : ({q_type}, tensor<i32>) -> {q_type}")
            k = self.value(f"ssm.rotary {k} at %position {form} : ({k_type}, tensor<i32>) -> {k_type}")
        keys, values = self.state(k_type), self.state(k_type)
        y, keys[3], values[3] = (f"%{self.name()}" for _ in range(3))
        window = f", window = {rng.randint(1, 40)} : i64" if rng.random() < 0.4 else ""
        self.line(f"{y}, {keys[3]}, {values[3]} = ssm.attention {x}, {k}, {v}, caches {keys[0]}, "
                  f"{values[0]} at %position {{head_dim = {size} : i64, scale = 0.5 : f32{window}}} : "
                  f"({q_type}, {k_type}, {k_type}, {k_type}, {k_type}, tensor<i32>) "
                  f"-> ({q_type}, {k_type}, {k_type})")
        return y, width

    def branch(self, width_out):
        rng = self.rng
        width = rng.choice([rng.randint(1, 80), 16 * rng.randint(1, 5)])
        x, width = self.linear(self.embed(width), width, is_exact=True)
        for _ in range(rng.randint(1, 3)):
            x, width = self.norm(x, width)
            layer = rng.choice([self.linear, self.conv, self.selective_scan, self.ssd_scan,
                                self.diagonal_scan, self.attention])
            x, width = layer(x, width)
        x, width = self.norm(x, width)
        return self.linear(x, width, width_out)[0]

    def write(self):
        width = self.vocabulary
        position = ["%position", "tensor<i32>", "position", "%next"]
        self.line("%c0 = arith.constant 0 : index")
        self.states.append(position)
        branches = [self.branch(width) for _ in range(2)]
        total = self.value(f"arith.addf {', '.join(branches)} : tensor<?x{width}xf32>")
        total, _ = self.norm(total, width)
        self.line("%n = tensor.dim %tokens, %c0 : tensor<?xi32>")
        self.line("%n32 = arith.index_cast %n : index to i32")
        self.line("%grown = tensor.splat %n32 : tensor<i32>")
        self.line("%next = arith.addi %position, %grown : tensor<i32>")
        inputs = [f'{value}: {type} {{ssm.state = "{name}"}}' for value, type, name, _ in self.states]
        types = [f"tensor<?x{width}xf32>"] + [type for _, type, _, _ in self.states]
        results = [total] + [after for _, _, _, after in self.states]
        return "\n".join([*self.globals,
                          f"func.func @forward({', '.join(['%tokens: tensor<?xi32>', *inputs])}) "
                          f"-> ({', '.join(types)}) {{", *self.body,
                          f"  return {', '.join(results)} : {', '.join(types)}", "}", ""])


def main(seed, program_path, tokens_path):
    program = Program(seed)
    text = program.write()
    count = program.rng.choice([1, 7, 16, 33, program.rng.randint(2, 70)])
    tokens = [program.rng.randrange(program.vocabulary) for _ in range(count)]
    with open(program_path, "w") as file:
        file.write(text)
    with open(tokens_path, "w") as file:
        json.dump(tokens, file)


main(*sys.argv[1:])
