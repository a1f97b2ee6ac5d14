package io.quarry.agent.data.os;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * One call of the C library; {@code state} takes its errno, and the arena lives as long as the
 * call. A handle takes 5 ms of a processor to make: a guardian needs two of them, an agent nearly
 * all.
 */
interface Downcall {
  Linker LINKER = Linker.nativeLinker();
  SymbolLookup SYMBOLS = LINKER.defaultLookup();
  Linker.Option CAPTURE_ERRNO = Linker.Option.captureCallState("errno");
  MemoryLayout STATE = Linker.Option.captureStateLayout();
  VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  long run(MemorySegment state, Arena arena) throws Throwable;

  /** The result, or {@code -errno}. */
  static long result(Downcall call) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long result = call.run(state, arena);
      return result < 0 ? -(int) ERRNO.get(state, 0L) : result;
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable impossible) {
      throw new IllegalStateException("a native call throws nothing checked", impossible);
    }
  }

  static int code(Downcall call) {
    return (int) result(call);
  }

  static MethodHandle function(String name, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(SYMBOLS.findOrThrow(name), descriptor, CAPTURE_ERRNO);
  }

  static MethodHandle variadic(String name, int fixed, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(
        SYMBOLS.findOrThrow(name),
        descriptor,
        CAPTURE_ERRNO,
        Linker.Option.firstVariadicArg(fixed));
  }
}
