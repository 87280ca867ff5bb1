// The student's two costliest portable operators, for the shapes that it has. Each is registered under a key of types
// and ranks (executorch/runtime/kernel/operator_registry.h) and is preferred to the wheel's kernel of the same name,
// which goes on serving everything else.

#include <cmath>
#include <cstdint>

#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/kernel/kernel_includes.h>
#include <executorch/runtime/kernel/operator_registry.h>

// Compiled for the oldest processor of a kind and for those with wider vectors; the loader chooses.
#if defined(__x86_64__)
#define EDGE_VECTORS __attribute__((target_clones("avx2", "default")))
#else
#define EDGE_VECTORS
#endif

namespace {

using executorch::aten::ArrayRef;
using executorch::aten::SizesType;
using executorch::aten::Tensor;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::Kernel;
using executorch::runtime::KernelRuntimeContext;
using executorch::runtime::Span;

// Partial sums, so that the compiler may use vectors: it must not reorder the additions of one sum.
constexpr int64_t kLanes = 16;

template <typename Term>
inline __attribute__((always_inline)) float sum(int64_t count, Term term) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] += term(i + lane);
    }
  }
  for (int64_t rest = i; rest < count; ++rest) {
    lanes[rest - i] += term(rest);
  }
  for (int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (int64_t lane = 0; lane < half; ++lane) {
      lanes[lane] += lanes[lane + half];
    }
  }
  return lanes[0];
}

struct Moments {
  float mean;
  float scale;
};

EDGE_VECTORS Moments normalize(const float* x, const float* weight, const float* bias, float eps, int64_t channels,
                               float* y) {
  const float mean = sum(channels, [x](int64_t i) { return x[i]; }) / channels;
  const float variance = sum(channels, [x, mean](int64_t i) { return (x[i] - mean) * (x[i] - mean); }) / channels;
  const float scale = 1.0f / std::sqrt(variance + eps);
  for (int64_t i = 0; i < channels; ++i) {
    y[i] = (x[i] - mean) * scale * weight[i] + bias[i];
  }
  return {mean, scale};
}

EDGE_VECTORS void dequantize(const int8_t* row, float scale, int64_t channels, float* y) {
  for (int64_t i = 0; i < channels; ++i) {
    y[i] = row[i] * scale;
  }
}

// aten::native_layer_norm.out(input, normalized_shape, weight?, bias?, eps, out, mean, rstd) over the last axis
void layer_norm(KernelRuntimeContext& context, Span<EValue*> stack) {
  const Tensor& input = stack[0]->toTensor();
  const auto axes = stack[1]->toIntList();
  const float* weight = stack[2]->toTensor().const_data_ptr<float>();
  const float* bias = stack[3]->toTensor().const_data_ptr<float>();
  const auto eps = static_cast<float>(stack[4]->toScalar().to<double>());
  Tensor& out = stack[5]->toTensor();
  const int64_t channels = input.size(2);
  ET_KERNEL_CHECK(context, axes.size() == 1 && axes[0] == channels, InvalidArgument, );
  ET_KERNEL_CHECK(context, stack[2]->toTensor().numel() == channels, InvalidArgument, );
  ET_KERNEL_CHECK(context, stack[3]->toTensor().numel() == channels, InvalidArgument, );
  ET_KERNEL_CHECK(context, executorch::runtime::resize_tensor(out, input.sizes()) == Error::Ok, InvalidArgument, );
  const SizesType rows[] = {static_cast<SizesType>(input.size(0)), static_cast<SizesType>(input.size(1)), 1};
  float* statistics[2];
  for (int i = 0; i < 2; ++i) {
    Tensor& tensor = stack[6 + i]->toTensor();
    ET_KERNEL_CHECK(context, executorch::runtime::resize_tensor(tensor, ArrayRef<SizesType>(rows, 3)) == Error::Ok,
                    InvalidArgument, );
    statistics[i] = tensor.mutable_data_ptr<float>();
  }
  const float* x = input.const_data_ptr<float>();
  float* y = out.mutable_data_ptr<float>();
  for (int64_t row = 0; row < static_cast<int64_t>(rows[0]) * rows[1]; ++row, x += channels, y += channels) {
    const Moments moments = normalize(x, weight, bias, eps, channels, y);
    statistics[0][row] = moments.mean;
    statistics[1][row] = moments.scale;
  }
}

// quantized_decomposed::embedding_byte.dtype_out(weight, scales, zero points?, min, max, indices, dtype?, out)
void embedding_byte(KernelRuntimeContext& context, Span<EValue*> stack) {
  const Tensor& table = stack[0]->toTensor();
  const Tensor& indices = stack[5]->toTensor();
  Tensor& out = stack[7]->toTensor();
  const int64_t rows = table.size(0), channels = table.size(1);
  const SizesType sizes[] = {static_cast<SizesType>(indices.size(0)), static_cast<SizesType>(indices.size(1)),
                             static_cast<SizesType>(indices.size(2)), static_cast<SizesType>(channels)};
  ET_KERNEL_CHECK(context, stack[1]->toTensor().numel() == rows, InvalidArgument, );
  ET_KERNEL_CHECK(context, executorch::runtime::resize_tensor(out, ArrayRef<SizesType>(sizes, 4)) == Error::Ok,
                  InvalidArgument, );
  const int8_t* weight = table.const_data_ptr<int8_t>();
  const float* scales = stack[1]->toTensor().const_data_ptr<float>();
  const int64_t* id = indices.const_data_ptr<int64_t>();
  float* y = out.mutable_data_ptr<float>();
  for (int64_t n = 0; n < static_cast<int64_t>(indices.numel()); ++n, y += channels) {
    ET_KERNEL_CHECK_MSG(context, id[n] >= 0 && id[n] < rows, InvalidArgument, , "an id is outside the table");
    dequantize(weight + id[n] * channels, scales[id[n]], channels, y);
  }
}

const Kernel kernels[] = {
    // float [B, T, C], weight [C], bias [C] → float [B, T, C], mean [B, T, 1], rstd [B, T, 1]
    Kernel("aten::native_layer_norm.out", "v1/6;0,1,2|6;0|6;0|6;0,1,2|6;0,1,2|6;0,1,2", layer_norm),
    // int8 [rows, C], float [rows], int64 [B, T, K] → float [B, T, K, C], which the stack holds twice
    Kernel("quantized_decomposed::embedding_byte.dtype_out", "v1/1;0,1|6;0|4;0,1,2|6;0,1,2,3|6;0,1,2,3", embedding_byte),
};

[[maybe_unused]] const Error registered = executorch::runtime::register_kernels({kernels, 2});

}  // namespace
