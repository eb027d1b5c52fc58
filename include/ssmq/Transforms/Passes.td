//===- Passes.td - Measure, assign, quantize ------------------*- tablegen -*-===//

#ifndef SSMQ_TRANSFORMS_PASSES
#define SSMQ_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def SensitivityPass : Pass<"ssmq-sensitivity", "::mlir::ModuleOp"> {
  let summary = "measure what each format costs at each weight";
  let description = [{
    Runs @forward on calibration tokens with the reference interpreter, once at full precision, and
    again for each (site, format) from the ops on that use the site. Writes a table with KL(p||q),
    KL(q||p), SQNR, MSE, changes of cross-entropy, perplexity and probability, and same-top-1 for
    each candidate, each with its standard error, beside the noise floor.

    A KL is predicted from the error of the ops that use the site where that is right to within
    `precision`, and measured elsewhere; the table says which. What a change does behind these ops is
    computed in 8-bit products of differences, right to about 1e-3 of a KL, unless
    `exact-arithmetic` is set.

    Every result is journalled as soon as it is known, and an interrupted run goes on where it was
    cut, to the same table. Progress is shown on a terminal.

    A candidate that makes a logit, a state or another value infinite or too large for its format
    is left in the table as one that cannot be used, and a warning tells how many there are. Only
    where the program overflows by itself the pass fails.

    Each row is an analysis remark of the category `ssmq-sensitivity` at the op that holds its site
    (`--remarks-filter-analyse=ssmq-sensitivity`). The IR is not changed, but for `annotate`.
  }];
  let options = [
    Option<"tokens", "tokens", "std::string", "",
           "File with the calibration tokens: one JSON array of ids">,
    ListOption<"sites", "sites", "std::string",
               "Kinds of sites to measure: weight, norm, activation, parameter, state, cache, all "
               "(default: weight)">,
    ListOption<"formats", "formats", "std::string",
               "Formats to measure, each for any kind of site that it fits, or for one: "
               "'state=f16' (default: see docs/Formats.md)">,
    Option<"precision", "precision", "double", "0.15",
           "Relative standard error up to which a KL may be predicted; 0 measures all">,
    Option<"exactArithmetic", "exact-arithmetic", "bool", "false",
           "Carry changes through the program in f32">,
    Option<"shard", "shard", "std::string", "",
           "i/n: measure the i-th of n parts of the sites, counted from 0">,
    Option<"sequenceLength", "sequence-length", "int64_t", "256", "Tokens in a sequence">,
    Option<"numSequences", "num-sequences", "int64_t", "0", "At most so many sequences; 0: all">,
    Option<"budget", "budget", "std::string", "",
           "Budget of the assignment to come: fail before measuring when no format can meet it">,
    Option<"threads", "threads", "unsigned", "0", "Candidates at the same time; 0: all cores">,
    Option<"checkpoint", "checkpoint", "std::string", "",
           "Where the weights are (default: the module's ssm.checkpoint)">,
    Option<"output", "output", "std::string", "", "Table to write (JSON)">,
    Option<"journal", "journal", "std::string", "",
           "Journal to keep and to go on from (JSON Lines)">,
    Option<"annotate", "annotate", "bool", "false",
           "Set ssm.sensitivity on the op that holds a site: what each format costs there">,
  ];
  let dependentDialects = ["::mlir::ssm::SSMDialect"];
}

def MeasureMixPass : Pass<"ssmq-measure-mix", "::mlir::ModuleOp"> {
  let summary = "measure whole assignments";
  let description = [{
    A sensitivity table has what a format costs at one site alone; this measures what assignments
    cost as a whole: KL(p||q) and all else of a table's row, with standard errors, beside the sum
    that `table` predicts. All sites of `--ssmq-list-sites` may be assigned. Several assignments
    share the runs at full precision, and their differences are paired.

    With `pairs=K`, what sums over sites miss, among the K sites of each assignment that cost most
    by themselves: KL(s, t) - KL(s) - KL(t).

    With `marginals=N`, what another format costs at one of the N sites of each assignment that
    gain most from full precision while all other sites stay as assigned: at full precision
    (`keep`) and in each of `formats`. A marginal takes a rerun from the mix, not a run.
  }];
  let options = [
    ListOption<"assignments", "assignments", "std::string", "Assignments to measure (JSON)">,
    Option<"tokens", "tokens", "std::string", "",
           "File with the calibration tokens: one JSON array of ids">,
    Option<"table", "table", "std::string", "", "Sensitivity table to predict from">,
    Option<"pairs", "pairs", "unsigned", "0", "Sites of each assignment to measure in pairs">,
    Option<"marginals", "marginals", "unsigned", "0",
           "Sites of each assignment to measure in other formats">,
    ListOption<"formats", "formats", "std::string",
               "Formats of marginals, as of ssmq-sensitivity (default: see docs/Formats.md)">,
    Option<"exactArithmetic", "exact-arithmetic", "bool", "false",
           "Carry the changes of marginals through the program in f32; all else always is">,
    Option<"sequenceLength", "sequence-length", "int64_t", "256", "Tokens in a sequence">,
    Option<"numSequences", "num-sequences", "int64_t", "0", "At most so many sequences; 0: all">,
    Option<"threads", "threads", "unsigned", "0", "Mixes at the same time; 0: all cores">,
    Option<"checkpoint", "checkpoint", "std::string", "",
           "Where the weights are (default: the module's ssm.checkpoint)">,
    Option<"output", "output", "std::string", "", "Document to write (JSON)">,
  ];
  let dependentDialects = ["::mlir::ssm::SSMDialect"];
}

def SolveMixPass : Pass<"ssmq-solve-mix", "::mlir::ModuleOp"> {
  let summary = "solve for a mix, measure it, and solve again";
  let description = [{
    Writes the assignment of least KL within a budget, as measured on calibration tokens: the
    optimum by the sums of a sensitivity table and every uniform choice that fits are measured whole;
    where the sum is wrong by more than the error of the measurement or a twentieth, changes of the
    best mix are measured and the problem is solved again, at most `rounds` times. What measures
    better is kept, and never a mix that measures worse than a uniform choice of the same size or
    smaller: then the result is that one, a warning says so, and the assignment's method too. See
    docs/Assignment.md, Interactions.
  }];
  let options = [
    Option<"table", "table", "std::string", "", "Sensitivity table">,
    Option<"budget", "budget", "std::string", "", "Budget, e.g. 4.5bpw or 3MB">,
    Option<"tokens", "tokens", "std::string", "",
           "File with the calibration tokens: one JSON array of ids">,
    Option<"rounds", "rounds", "unsigned", "2", "How often to solve again">,
    Option<"sequenceLength", "sequence-length", "int64_t", "256", "Tokens in a sequence">,
    Option<"numSequences", "num-sequences", "int64_t", "0", "At most so many sequences; 0: all">,
    Option<"exactArithmetic", "exact-arithmetic", "bool", "false",
           "Carry changes of a mix through the program in f32; mixes always are">,
    Option<"threads", "threads", "unsigned", "0", "Mixes at the same time; 0: all cores">,
    Option<"checkpoint", "checkpoint", "std::string", "",
           "Where the weights are (default: the module's ssm.checkpoint)">,
    Option<"output", "output", "std::string", "", "Assignment to write (JSON)">,
  ];
  let dependentDialects = ["::mlir::ssm::SSMDialect"];
}

def ListSitesPass : Pass<"ssmq-list-sites", "::mlir::ModuleOp"> {
  let summary = "list the values that can be quantized";
  let description = [{
    Emits a remark at each site: its name, kind, shape and size; of activations and caches for one
    token. The IR is not changed.
  }];
  let options = [
    ListOption<"kinds", "kinds", "std::string",
               "Kinds to list: weight, norm, activation, parameter, state, cache (default: all)">,
    Option<"output", "output", "std::string", "", "File to write instead of remarks (JSON)">,
  ];
}

def AssignPass : Pass<"ssmq-assign", "::mlir::ModuleOp"> {
  let summary = "choose a format for each site";
  let description = [{
    Sets the attribute `ssm.format` on each weight and `ssm.formats` on the op that reads any other
    site: from an assignment file, which may name any site; or uniformly, the same format at all
    sites of the kinds in `sites`, or, of a program that is quantized, at the inputs of linear layers
    with weights in codes of 4 or 8 bits; or, for weights, from a sensitivity table by a rule. `optimal` gives the least predicted
    KL within all limits, `greedy` nearly that within a budget; `kl-mpq-p01` .. `kl-mpq-p10`,
    `kl-mpq-greedy` and `kl-mpq-greedy-fixed` are published rules without limits (docs/Assignment.md).
    A budget counts everything the program stores, in bits per parameter (`4.5bpw`) or bytes (`3MB`,
    `2.5MiB`). A table or an assignment of other weights than the module's is refused.
  }];
  let options = [
    Option<"method", "method", "std::string", "\"optimal\"", "uniform, inputs, file, or a rule">,
    Option<"table", "table", "std::string", "", "Sensitivity table (rules)">,
    ListOption<"budgets", "budget", "std::string", "Budgets of stored bytes, e.g. 4.5bpw or 3MB">,
    Option<"memory", "memory", "std::string", "",
           "Budget of the running model: with states, caches and the largest activation">,
    Option<"cacheTokens", "cache-tokens", "int64_t", "1", "Tokens in the caches">,
    Option<"costs", "costs", "std::string", "", "Table of times (ssmq-cost-table)">,
    Option<"decodeMs", "decode-ms", "double", "0", "Limit on milliseconds a generated token; 0: none">,
    Option<"prefillMs", "prefill-ms", "double", "0",
           "Limit on milliseconds a token of the prompt; 0: none">,
    Option<"maxSiteKL", "max-site-kl", "double", "0", "Limit on the KL of any one site; 0: none">,
    ListOption<"formats", "formats", "std::string", "Formats to choose from (default: the table's)">,
    ListOption<"ties", "tie", "std::string",
               "Patterns: sites found with the same captured text take one format">,
    Option<"gamma", "gamma", "double", "1.10", "Growth of the perplexity (kl-mpq-greedy)">,
    Option<"format", "format", "std::string", "", "Format for all these sites (uniform, inputs)">,
    ListOption<"sites", "sites", "std::string",
               "Kinds of sites that get it (uniform): weight, norm, activation, parameter, state, "
               "cache, all (default: weight)">,
    Option<"input", "input", "std::string", "", "Assignment to apply (file)">,
    Option<"output", "output", "std::string", "", "Assignment to write (JSON)">,
  ];
  let dependentDialects = ["::mlir::ssm::SSMDialect"];
}

def QuantizePass : Pass<"ssmq-quantize", "::mlir::ModuleOp"> {
  let summary = "rewrite a program to the formats assigned to its sites";
  let description = [{
    Rewrites weights, norms and parameters with a format to what they are stored as, and writes all
    weights of the program to a new safetensors file that becomes the module's checkpoint: integers
    of 2 to 8 bits per channel or group to a compact quant type with scales and zero points beside
    it, f16 and bf16 to that type, anything else to `ssm.dequantize` of its codes. Codes of a tensor
    `w` are in `w` (see Formats/Packing.h), scales in `w_scale`, zero points in `w_zero_point`.

    Activations and caches pass through `ssm.fake_quantize`; ops round their states and conv caches
    as their attribute `state_format` says. The ranges of static formats are collected on `tokens`,
    as ssmq-sensitivity collects them.
  }];
  let options = [
    Option<"output", "output", "std::string", "",
           "Safetensors file to write; needed where weights have formats">,
    Option<"tokens", "tokens", "std::string", "",
           "File with calibration tokens, for static formats: one JSON array of ids">,
    Option<"sequenceLength", "sequence-length", "int64_t", "256", "Tokens in a sequence">,
    Option<"numSequences", "num-sequences", "int64_t", "0", "At most so many sequences; 0: all">,
    Option<"checkpoint", "checkpoint", "std::string", "",
           "Where the weights are (default: the module's ssm.checkpoint)">,
    Option<"threads", "threads", "unsigned", "0", "Threads; 0: all cores">,
  ];
  let dependentDialects = ["::mlir::ssm::SSMDialect", "::mlir::quant::QuantDialect",
                           "::mlir::ml_program::MLProgramDialect"];
}

def RefinePass : Pass<"ssmq-refine", "::mlir::ModuleOp"> {
  let summary = "choose better codes and scales for quantized weights";
  let description = [{
    Replaces codes, scales and zero points of each `!quant.any` weight, of the same types and sizes,
    by ones that change the program less, from the original weights: scales of least squared error
    (`mse`), of least error weighted by the mean square of each input channel (`hessian`), or
    codes that make up for each other's errors (`gptq`, and coordinate descent from there). Inputs of a layer are those that the
    program, with all earlier layers refined, has on the calibration tokens: one pass over all of
    them in program order. A table that is embedding and head at once is refined first, for the
    head's inputs. Weights of embeddings and convolutions get the scales of `mse`. See
    docs/Refinement.md.

    Writes a new safetensors file, all other tensors copied, that becomes the module's checkpoint.
  }];
  let options = [
    Option<"method", "method", "std::string", "\"gptq\"", "mse, hessian or gptq">,
    Option<"tokens", "tokens", "std::string", "",
           "File with the calibration tokens: one JSON array of ids (hessian, gptq)">,
    Option<"sequenceLength", "sequence-length", "int64_t", "256", "Tokens in a sequence">,
    Option<"numSequences", "num-sequences", "int64_t", "0", "At most so many sequences; 0: all">,
    Option<"damping", "damping", "double", "0.01",
           "Added to the diagonal of the Hessian, in parts of its mean (gptq)">,
    Option<"actOrder", "act-order", "bool", "false",
           "Round the columns of the largest inputs first (gptq)">,
    Option<"sweeps", "sweeps", "unsigned", "8",
           "Sweeps of coordinate descent over the codes of GPTQ, at most (gptq)">,
    Option<"original", "original", "std::string", "", "The checkpoint that was quantized">,
    Option<"checkpoint", "checkpoint", "std::string", "",
           "Where the quantized weights are (default: the module's ssm.checkpoint)">,
    Option<"output", "output", "std::string", "", "Safetensors file to write">,
    Option<"threads", "threads", "unsigned", "0", "Threads; 0: all cores">,
  ];
  let dependentDialects = ["::mlir::ssm::SSMDialect"];
}

def ExportValuesPass : Pass<"ssmq-export-values", "::mlir::ModuleOp"> {
  let summary = "write what quantized weights stand for, in f32";
  let description = [{
    Writes all tensors of the checkpoint to a safetensors file, in f32 and under their names: a
    `!quant.any` weight as the values of its codes, without scales and zero points beside it. Tools
    that know the unquantized model read it. The IR is not changed. Codes that `ssm.dequantize`
    reads are refused: --ssmq-expand-formats comes first.
  }];
  let options = [
    Option<"output", "output", "std::string", "", "Safetensors file to write">,
    Option<"checkpoint", "checkpoint", "std::string", "",
           "Where the weights are (default: the module's ssm.checkpoint)">,
  ];
}

def FoldScalesPass : Pass<"ssmq-fold-scales", "::mlir::ModuleOp"> {
  let summary = "move the size of channels from inputs into weights";
  let description = [{
    As AWQ: columns of a linear layer's weight are multiplied, and what stands before is divided, by
    scales that make the columns of large inputs larger, so that the formats assigned to the weights
    (`ssm.format`) round them with less error of the output. What can be divided: the weight of a
    norm, or the rows of a linear layer whose result comes through slices and elementwise products.
    It must be read by nothing else, and the input only by linear layers. The function of the
    program stays the same. See docs/Refinement.md.

    Weights that change become f32, in the program and in a new safetensors file, all other tensors
    copied, that becomes the module's checkpoint. Run it after --ssmq-assign and before
    --ssmq-quantize.
  }];
  let options = [
    Option<"tokens", "tokens", "std::string", "",
           "File with the calibration tokens: one JSON array of ids">,
    Option<"sequenceLength", "sequence-length", "int64_t", "256", "Tokens in a sequence">,
    Option<"numSequences", "num-sequences", "int64_t", "0", "At most so many sequences; 0: all">,
    Option<"alphaGrid", "alpha-grid", "unsigned", "20", "Exponents tried between 0 and 1">,
    Option<"checkpoint", "checkpoint", "std::string", "",
           "Where the weights are (default: the module's ssm.checkpoint)">,
    Option<"output", "output", "std::string", "", "Safetensors file to write">,
    Option<"threads", "threads", "unsigned", "0", "Threads; 0: all cores">,
  ];
  let dependentDialects = ["::mlir::ssm::SSMDialect"];
}

def ValidatePass : Pass<"ssmq-validate", "::mlir::ModuleOp"> {
  let summary = "prove that a program has the formats of an assignment";
  let description = [{
    Compares each site's format in an assignment file with what the IR has: the element type, scales,
    zero points and group size of a weight, `ssm.dequantize` and `ssm.fake_quantize`, the
    `state_format` of a scan or conv. A site that the assignment leaves out or keeps must be in no
    format. With `original`, the checkpoint that was quantized, also that the stored codes of each
    weight decode to what its format rounds the original to (not where ssmq-refine chose the codes).
    One error for each mismatch, at the op; a remark with counts when there is none. Run it before
    `ssmq-pack`. The IR is not changed.
  }];
  let options = [
    Option<"assignment", "assignment", "std::string", "", "Assignment file to prove">,
    Option<"original", "original", "std::string", "", "Checkpoint that was quantized">,
    Option<"checkpoint", "checkpoint", "std::string", "",
           "Where the weights are (default: the module's ssm.checkpoint)">,
    Option<"threads", "threads", "unsigned", "0", "Threads; 0: all cores">,
  ];
}

def ExportQuantPass : Pass<"ssmq-export-quant", "::mlir::ModuleOp"> {
  let summary = "export quantized values to upstream's quant types";
  let description = [{
    Integer weights become constants of their codes behind `quant.scast` and `quant.dcast`, of
    `!quant.uniform` types per tensor, per axis or (groups that divide a row) sub-channel; static
    per-tensor activations become `quant.qcast` and `quant.dcast`. So the stock
    `mlir-opt --lower-quant-ops` reads them. Weights in formats without such a type become f32
    constants; other activations and states stay as they are, with a remark.
  }];
  let options = [
    Option<"checkpoint", "checkpoint", "std::string", "",
           "Where the weights are (default: the module's ssm.checkpoint)">,
  ];
  let dependentDialects = ["::mlir::ssm::SSMDialect", "::mlir::quant::QuantDialect",
                           "::mlir::arith::ArithDialect"];
}

include "ssmq/Transforms/KernelWeightPasses.td"

#endif // SSMQ_TRANSFORMS_PASSES
