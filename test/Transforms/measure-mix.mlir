// Whole assignments, of sites of several kinds, and what the options refuse.
// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t tie_word_embeddings=true drop=lm_head.weight
// RUN: ssmq-translate --import-hf %t -o %t/program.mlir
// RUN: echo '[1,5,9,2,7,3,8,4,6,1,2,3,10,5,6,7,8,9,1,2,4,4,3,8]' > %t/tokens.json
// RUN: ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json sequence-length=12 precision=0 exact-arithmetic=true sites=weight,state,activation formats=int4:channel,int8:channel,state=f16,int8:token output=%t/table.json" -o /dev/null
// RUN: echo '{"document":"ssmq-assignment","version":1,"model":"","checkpoint":"","method":"by hand","sites":[{"site":"model.layers.0.mamba.in_proj:weight","format":"i4 sym per_channel"}]}' > %t/one.json
// RUN: echo '{"document":"ssmq-assignment","version":1,"model":"","checkpoint":"","method":"by hand","sites":[{"site":"model.layers.0.mamba.in_proj:weight","format":"i4 sym per_channel"},{"site":"model.layers.0.mamba.in_proj:input","format":"i8 sym per_token"},{"site":"model.layers.0.mamba.scan:state","format":"f16"},{"site":"model.layers.0.mamba.out_proj:weight","format":"keep"}]}' > %t/three.json
// RUN: ssmq-opt %t/program.mlir --ssmq-measure-mix="assignments=%t/one.json,%t/three.json tokens=%t/tokens.json sequence-length=12 table=%t/table.json pairs=2 marginals=1 formats=int8:channel output=%t/mixes.json" -o /dev/null
// RUN: FileCheck %s < %t/mixes.json
// CHECK: "differences": [
// CHECK: "forwardKL": {
// CHECK-NEXT: "mean": {{-?[0-9]}}
// CHECK-NEXT: "standardError": {{[0-9]}}
// CHECK: "mixes": [
// CHECK-NEXT: 0
// CHECK-NEXT: 1
// CHECK: "document": "ssmq-mixes"
// CHECK: "marginals": [
// CHECK: "format": "keep"
// CHECK: "format": "i8 sym per_channel"
// CHECK: "method": "by hand"
// CHECK: "name": "{{.*}}one.json"
// CHECK-NEXT: "pairs": []
// CHECK: "name": "{{.*}}three.json"
// CHECK-NEXT: "pairs": [
// CHECK: "formats": [
// CHECK-NEXT: "i4 sym per_channel"
// A mix of one site is its row.
// RUN: %python -c "import json; t = json.load(open('%t/table.json')); m = json.load(open('%t/mixes.json'))['mixes'][0]; r = [r for r in t['rows'] if r['site'] == 'model.layers.0.mamba.in_proj:weight' and r['format'] == 'i4 sym per_channel'][0]; assert m['estimates'] == r['estimates'] and m['predictedKL'] == r['estimates']['forwardKL']['mean'], (m, r)"
// The term of a pair is what its sites cost together, less what they cost alone.
// RUN: sed s/in_proj/out_proj/ %t/one.json > %t/out.json
// RUN: echo '{"document":"ssmq-assignment","version":1,"model":"","checkpoint":"","method":"by hand","sites":[{"site":"model.layers.0.mamba.in_proj:weight","format":"i4 sym per_channel"},{"site":"model.layers.0.mamba.out_proj:weight","format":"i4 sym per_channel"}]}' > %t/both.json
// RUN: ssmq-opt %t/program.mlir --ssmq-measure-mix="assignments=%t/one.json,%t/out.json,%t/both.json tokens=%t/tokens.json sequence-length=12 pairs=2 output=%t/pairs.json" -o /dev/null
// RUN: %python -c "import json; m = json.load(open('%t/pairs.json'))['mixes']; k = [one['estimates']['forwardKL']['mean'] for one in m]; term = m[2]['pairs'][0]['term']['mean']; assert term and abs(term - (k[2] - k[0] - k[1])) < 1e-9 * k[2], (term, k)"

// RUN: not ssmq-opt %t/program.mlir --ssmq-measure-mix="tokens=%t/tokens.json output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=NEEDS
// NEEDS: error: ssmq-measure-mix needs assignments=FILE,..., tokens=FILE and output=FILE
// RUN: sed s/in_proj/in_prej/ %t/one.json > %t/unknown.json
// RUN: not ssmq-opt %t/program.mlir --ssmq-measure-mix="assignments=%t/unknown.json tokens=%t/tokens.json output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=SITE
// SITE: error: {{.*}}unknown.json: the assignment names site 'model.layers.0.mamba.in_prej:weight', which the module does not have
// RUN: sed s/per_channel/per_token/ %t/one.json > %t/unfit.json
// RUN: not ssmq-opt %t/program.mlir --ssmq-measure-mix="assignments=%t/unfit.json tokens=%t/tokens.json output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=FIT
// FIT: error: {{.*}}site 'model.layers.0.mamba.in_proj:weight': format 'i4 sym per_token'
// RUN: sed s/i4/i3/ %t/one.json > %t/lacking.json
// RUN: not ssmq-opt %t/program.mlir --ssmq-measure-mix="assignments=%t/lacking.json tokens=%t/tokens.json table=%t/table.json output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=ROW
// ROW: error: {{.*}}table.json has no row for 'model.layers.0.mamba.in_proj:weight' as 'i3 sym per_channel'
// RUN: sed 's/"checkpoint": ".*"/"checkpoint": "other"/' %t/table.json > %t/other.json
// RUN: not ssmq-opt %t/program.mlir --ssmq-measure-mix="assignments=%t/one.json tokens=%t/tokens.json table=%t/other.json output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: error: {{.*}}other.json is of other weights than this module's
// RUN: not test -e %t/no.json
