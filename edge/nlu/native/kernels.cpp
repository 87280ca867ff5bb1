// The student's two costliest portable operators, for the shapes that it has. Each is registered under a key of types
// and ranks (executorch/runtime/kernel/operator_registry.h) and is preferred to the wheel's kernel of the same name,
// which goes on serving everything else.

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <vector>

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

bool resize(Tensor& tensor, std::initializer_list<int64_t> sizes) {
  const std::vector<SizesType> axes(sizes.begin(), sizes.end());
  return executorch::runtime::resize_tensor(tensor, ArrayRef<SizesType>(axes.data(), axes.size())) == Error::Ok;
}

struct Moments {
  float mean;
  float rstd;
};

EDGE_VECTORS Moments normalize(const float* x, const float* weight, const float* bias, float eps, int64_t channels,
                               float* y) {
  float total = 0, squares = 0;
#pragma omp simd reduction(+ : total)
  for (int64_t i = 0; i < channels; ++i) {
    total += x[i];
  }
  const float mean = total / channels;
#pragma omp simd reduction(+ : squares)
  for (int64_t i = 0; i < channels; ++i) {
    squares += (x[i] - mean) * (x[i] - mean);
  }
  const float rstd = 1.0f / std::sqrt(squares / channels + eps);
  for (int64_t i = 0; i < channels; ++i) {
    y[i] = (x[i] - mean) * rstd * weight[i] + bias[i];
  }
  return {mean, rstd};
}

EDGE_VECTORS void dequantize(const int8_t* row, float scale, int64_t channels, float* y) {
  for (int64_t i = 0; i < channels; ++i) {
    y[i] = row[i] * scale;
  }
}

// aten::native_layer_norm.out(input, normalized_shape, weight?, bias?, eps, out, mean, rstd) over the last axis
void layer_norm(KernelRuntimeContext& context, Span<EValue*> stack) {
  const Tensor &input = stack[0]->toTensor(), &weight = stack[2]->toTensor(), &bias = stack[3]->toTensor();
  const auto axes = stack[1]->toIntList();
  const auto eps = static_cast<float>(stack[4]->toScalar().to<double>());
  Tensor &out = stack[5]->toTensor(), &mean = stack[6]->toTensor(), &rstd = stack[7]->toTensor();
  const int64_t batch = input.size(0), length = input.size(1), channels = input.size(2);
  ET_KERNEL_CHECK(context, axes.size() == 1 && axes[0] == channels, InvalidArgument, );
  ET_KERNEL_CHECK(context, weight.numel() == channels && bias.numel() == channels, InvalidArgument, );
  ET_KERNEL_CHECK(context, resize(out, {batch, length, channels}), InvalidArgument, );
  ET_KERNEL_CHECK(context, resize(mean, {batch, length, 1}), InvalidArgument, );
  ET_KERNEL_CHECK(context, resize(rstd, {batch, length, 1}), InvalidArgument, );
  for (int64_t row = 0; row < batch * length; ++row) {
    const Moments moments =
        normalize(input.const_data_ptr<float>() + row * channels, weight.const_data_ptr<float>(),
                  bias.const_data_ptr<float>(), eps, channels, out.mutable_data_ptr<float>() + row * channels);
    mean.mutable_data_ptr<float>()[row] = moments.mean;
    rstd.mutable_data_ptr<float>()[row] = moments.rstd;
  }
}

// quantized_decomposed::embedding_byte.dtype_out(weight, scales, zero points?, min, max, indices, dtype?, out)
void embedding_byte(KernelRuntimeContext& context, Span<EValue*> stack) {
  const Tensor &weight = stack[0]->toTensor(), &scales = stack[1]->toTensor(), &indices = stack[5]->toTensor();
  Tensor& out = stack[7]->toTensor();
  const int64_t rows = weight.size(0), channels = weight.size(1);
  ET_KERNEL_CHECK(context, scales.numel() == rows, InvalidArgument, );
  ET_KERNEL_CHECK(context, resize(out, {indices.size(0), indices.size(1), indices.size(2), channels}),
                  InvalidArgument, );
  const int64_t* ids = indices.const_data_ptr<int64_t>();
  for (int64_t n = 0; n < static_cast<int64_t>(indices.numel()); ++n) {
    ET_KERNEL_CHECK_MSG(context, ids[n] >= 0 && ids[n] < rows, InvalidArgument, , "an id is outside the table");
    dequantize(weight.const_data_ptr<int8_t>() + ids[n] * channels, scales.const_data_ptr<float>()[ids[n]], channels,
               out.mutable_data_ptr<float>() + n * channels);
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
