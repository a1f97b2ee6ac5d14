package io.quarry.agent.data.os;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

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
 * call.
 *
 * <p>The JVM spends 5 ms of a processor on each shape of a function, and nothing on a second
 * function of the same shape. So functions share a few shapes. On x86-64 and AArch64 Linux each
 * integer takes a register of 64 bits, an {@code int} its lower half, and a function ignores
 * registers beyond its arguments, whether it is variadic or not. The upper half of an {@code int}
 * result is undefined: {@link #code} drops it.
 */
interface Downcall {
  Linker LINKER = Linker.nativeLinker();
  SymbolLookup SYMBOLS = LINKER.defaultLookup();
  Linker.Option CAPTURE_ERRNO = Linker.Option.captureCallState("errno");
  MemoryLayout STATE = Linker.Option.captureStateLayout();
  VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  long run(MemorySegment state, Arena arena) throws Throwable;

  /** The result of a function that returns a long, or {@code -errno}. */
  static long result(Downcall call) {
    return result(call, false);
  }

  /** The result of a function that returns an int, or {@code -errno}. */
  static int code(Downcall call) {
    return (int) result(call, true);
  }

  private static long result(Downcall call, boolean isInt) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long register = call.run(state, arena);
      long result = isInt ? (int) register : register;
      return result < 0 ? -(int) ERRNO.get(state, 0L) : result;
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable impossible) {
      throw new IllegalStateException("a native call throws nothing checked", impossible);
    }
  }

  /** A function of up to four integers. */
  static MethodHandle ofNumbers(String name) {
    return function(name, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  }

  /** A function whose second argument is a pointer, with up to two integers behind it. */
  static MethodHandle ofPointer(String name) {
    return function(name, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
  }

  /** A function of two integers and a pointer. */
  static MethodHandle ofCommand(String name) {
    return function(name, JAVA_LONG, JAVA_LONG, ADDRESS);
  }

  /** A function whose second and fourth arguments are pointers, with up to two integers behind. */
  static MethodHandle ofTwoPointers(String name) {
    return function(name, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
  }

  /** A function of a shape of its own. */
  static MethodHandle function(String name, MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        SYMBOLS.findOrThrow(name), FunctionDescriptor.of(JAVA_LONG, arguments), CAPTURE_ERRNO);
  }
}
