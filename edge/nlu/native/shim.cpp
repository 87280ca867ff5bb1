// A C interface over the ExecuTorch runtime, for ctypes: edge/nlu/program.py declares the same functions.
// Every function that returns uint32_t returns an executorch::runtime::Error (0 is Ok).
// The caller serializes all calls: the thread pool and the log line are process-wide.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <unordered_map>
#include <vector>

#include <executorch/devtools/etdump/etdump_flatcc.h>
#include <executorch/extension/module/module.h>
#include <executorch/extension/tensor/tensor.h>
#include <executorch/runtime/platform/platform.h>
#include <executorch/runtime/platform/runtime.h>

#define EDGE_EXPORT extern "C" __attribute__((visibility("default")))

// The wheel ships this class in libexecutorch_threadpool.so but not its header.
namespace executorch::extension::threadpool {
class ThreadPool {
 public:
  size_t get_thread_count() const;
  bool _unsafe_reset_threadpool(uint32_t count);
};
ThreadPool* get_threadpool();
}  // namespace executorch::extension::threadpool

namespace {

using executorch::aten::ScalarType;
using executorch::aten::SizesType;
using executorch::etdump::ETDumpGen;
using executorch::extension::Module;
using executorch::extension::TensorPtr;
using executorch::runtime::ChainID;
using executorch::runtime::DebugHandle;
using executorch::runtime::DelegateDebugIntId;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::EventTracerEntry;

constexpr int32_t kMaxRank = 16;

std::string last_log;

void keep_log(et_timestamp_t, et_pal_log_level_t level, const char* file, const char*, size_t line,
              const char* message, size_t) {
  if (level == kFatal) {
    std::fprintf(stderr, "executorch: %s (%s:%zu)\n", message, file, line);
  } else if (level == kError && last_log.empty()) {  // the first line of a failure is the nearest to its cause
    last_log = message;
  }
}

[[maybe_unused]] const bool log_registered =
    executorch::runtime::register_pal(executorch::runtime::PalImpl::create(keep_log, __FILE__));

// Writes an ETDump and, beside it, adds up the time of each operator by name.
class OperatorTracer final : public ETDumpGen {
 public:
  struct Total {
    uint64_t ns = 0;
    uint64_t calls = 0;
  };
  std::map<std::string, Total> totals;

  EventTracerEntry start_profiling(const char* name, ChainID chain, DebugHandle handle) override {
    const EventTracerEntry entry = ETDumpGen::start_profiling(name, chain, handle);
    open_[entry.event_id] = name;
    return entry;
  }

  void end_profiling(EventTracerEntry entry) override {
    const auto found = open_.find(entry.event_id);
    if (found != open_.end()) {
      add(found->second, entry.start_time, executorch::runtime::pal_current_ticks());
      open_.erase(found);
    }
    ETDumpGen::end_profiling(entry);
  }

  void log_profiling_delegate(const char* name, DelegateDebugIntId id, et_timestamp_t start, et_timestamp_t end,
                              const void* metadata, size_t length) override {
    add(name != nullptr ? name : "delegate " + std::to_string(id), start, end);
    ETDumpGen::log_profiling_delegate(name, id, start, end, metadata, length);
  }

 private:
  void add(const std::string& name, et_timestamp_t start, et_timestamp_t end) {
    const et_tick_ratio_t ratio = executorch::runtime::pal_ticks_to_ns_multiplier();
    Total& total = totals[name];
    total.ns += (end - start) * ratio.numerator / ratio.denominator;
    total.calls += 1;
  }

  std::unordered_map<int64_t, std::string> open_;
};

// Type and rank of an input, as exported.
struct Form {
  ScalarType type;
  int32_t rank;
};

struct Program {
  Program(const char* path, std::unique_ptr<OperatorTracer> owned)
      : tracer(owned.get()), module(path, Module::LoadMode::Mmap, std::move(owned)) {}
  OperatorTracer* tracer;
  Module module;
  std::vector<Form> inputs;
};

size_t live_programs = 0;

template <typename Body>
uint32_t guarded(Body body) {
  last_log.clear();
  try {
    return static_cast<uint32_t>(body());
  } catch (const std::bad_alloc&) {
    return static_cast<uint32_t>(Error::MemoryAllocationFailed);
  } catch (const std::exception& error) {
    last_log = error.what();
    return static_cast<uint32_t>(Error::Internal);
  }
}

Error read_inputs(Program& program) {
  const auto meta = program.module.method_meta("forward");
  if (!meta.ok()) {
    return meta.error();
  }
  for (size_t i = 0; i < meta->num_inputs(); ++i) {
    const auto info = meta->input_tensor_meta(i);
    if (!info.ok()) {
      return info.error();
    }
    program.inputs.push_back({info->scalar_type(), static_cast<int32_t>(info->sizes().size())});
  }
  return Error::Ok;
}

bool all_below(const executorch::aten::Tensor& ids, int64_t limit) {
  const auto* id = ids.const_data_ptr<int64_t>();
  return std::all_of(id, id + ids.numel(), [limit](int64_t value) { return value >= 0 && value < limit; });
}

}  // namespace

EDGE_EXPORT const char* edge_last_log() { return last_log.c_str(); }

// The pool belongs to the process and a loaded program keeps a pointer into it, so that it can only be resized
// while no program is loaded; otherwise InvalidState, and `*current` tells the size in force.
EDGE_EXPORT uint32_t edge_set_threads(uint32_t count, uint32_t* current) {
  return guarded([&] {
    auto* pool = executorch::extension::threadpool::get_threadpool();
    Error error = Error::Ok;
    if (pool->get_thread_count() != count) {
      if (live_programs > 0) {
        error = Error::InvalidState;
      } else if (!pool->_unsafe_reset_threadpool(count)) {
        error = Error::OutOfResources;
      }
    }
    *current = static_cast<uint32_t>(pool->get_thread_count());
    return error;
  });
}

EDGE_EXPORT uint32_t edge_open(const char* path, int32_t trace, void** handle) {
  return guarded([&] {
    executorch::runtime::runtime_init();
    auto program = std::make_unique<Program>(path, trace ? std::make_unique<OperatorTracer>() : nullptr);
    Error error = program->module.load(executorch::runtime::Program::Verification::InternalConsistency);
    if (error == Error::Ok) {
      error = program->module.load_forward();
    }
    if (error == Error::Ok) {
      error = read_inputs(*program);
    }
    if (error == Error::Ok) {
      *handle = program.release();
      ++live_programs;
    }
    return error;
  });
}

EDGE_EXPORT void edge_close(void* handle) {
  delete static_cast<Program*>(handle);
  --live_programs;
}

// Numbers of inputs and outputs, and the bytes of memory planned for activations.
EDGE_EXPORT uint32_t edge_measure(void* handle, int32_t* inputs, int32_t* outputs, int64_t* arena_bytes) {
  return guarded([&] {
    const auto meta = static_cast<Program*>(handle)->module.method_meta("forward");
    if (!meta.ok()) {
      return meta.error();
    }
    *inputs = static_cast<int32_t>(meta->num_inputs());
    *outputs = static_cast<int32_t>(meta->num_outputs());
    *arena_bytes = 0;
    for (size_t i = 0; i < meta->num_memory_planned_buffers(); ++i) {
      const auto size = meta->memory_planned_buffer_size(i);
      if (!size.ok()) {
        return size.error();
      }
      *arena_bytes += *size;
    }
    return Error::Ok;
  });
}

// Scalar type, rank and largest shape of an input or output as exported; `shape` has room for 16 axes.
EDGE_EXPORT uint32_t edge_signature(void* handle, int32_t is_output, int32_t index, int32_t* dtype, int32_t* rank,
                                    int64_t* shape) {
  return guarded([&] {
    const auto meta = static_cast<Program*>(handle)->module.method_meta("forward");
    if (!meta.ok()) {
      return meta.error();
    }
    const auto info = is_output ? meta->output_tensor_meta(index) : meta->input_tensor_meta(index);
    if (!info.ok()) {
      return info.error();
    }
    if (info->sizes().size() > static_cast<size_t>(kMaxRank)) {
      return Error::NotSupported;
    }
    *dtype = static_cast<int32_t>(info->scalar_type());
    *rank = static_cast<int32_t>(info->sizes().size());
    std::copy(info->sizes().begin(), info->sizes().end(), shape);
    return Error::Ok;
  });
}

// Runs on contiguous tensors of the program's types and ranks. `shapes` holds the inputs' axes one tensor after the
// other and `output_shapes` receives those of the outputs; `outputs` are buffers for the largest shapes. The values of
// an int64 input stay below its entry in `limits`, unless that is 0.
EDGE_EXPORT uint32_t edge_run(void* handle, const int64_t* shapes, void* const* inputs, const int64_t* limits,
                              int64_t* output_shapes, void* const* outputs) {
  return guarded([&] {
    auto& program = *static_cast<Program*>(handle);
    std::vector<TensorPtr> tensors;
    std::vector<EValue> values;
    for (size_t i = 0; i < program.inputs.size(); ++i) {
      const Form& form = program.inputs[i];
      const std::vector<SizesType> sizes(shapes, shapes + form.rank);
      tensors.push_back(executorch::extension::from_blob(inputs[i], sizes, form.type));
      values.emplace_back(tensors.back());
      shapes += form.rank;
      if (form.type == ScalarType::Long && limits[i] > 0 && !all_below(*tensors.back(), limits[i])) {
        last_log = "input " + std::to_string(i) + " has a value outside 0.." + std::to_string(limits[i] - 1);
        return Error::InvalidArgument;
      }
    }
    const auto result = program.module.forward(values);
    if (!result.ok()) {
      return result.error();
    }
    for (size_t i = 0; i < result->size(); ++i) {
      const auto& tensor = result->at(i).toTensor();
      output_shapes = std::copy(tensor.sizes().begin(), tensor.sizes().end(), output_shapes);
      std::memcpy(outputs[i], tensor.const_data_ptr(), tensor.nbytes());
    }
    return Error::Ok;
  });
}

// Calls `visit` once for each operator; does nothing for a program that does not trace.
EDGE_EXPORT void edge_operator_times(void* handle, void (*visit)(const char* name, uint64_t ns, uint64_t calls)) {
  const auto* tracer = static_cast<Program*>(handle)->tracer;
  if (tracer != nullptr) {
    for (const auto& [name, total] : tracer->totals) {
      visit(name.c_str(), total.ns, total.calls);
    }
  }
}

// Hands the ETDump of all runs so far to `visit` and starts a new one.
EDGE_EXPORT void edge_etdump(void* handle, void (*visit)(const void* data, uint64_t bytes)) {
  auto* tracer = static_cast<Program*>(handle)->tracer;
  if (tracer != nullptr) {
    const auto dump = tracer->get_etdump_data();
    if (dump.buf != nullptr) {
      visit(dump.buf, dump.size);
      std::free(dump.buf);
    }
    tracer->reset();
  }
}
