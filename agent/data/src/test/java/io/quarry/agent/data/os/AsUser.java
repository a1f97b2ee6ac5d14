package io.quarry.agent.data.os;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/** Lets a thread of root's process use files as another user, so that file modes apply. */
public final class AsUser {
  /** A user that owns no file. */
  public static final int USER = 12_345;

  private static final MethodHandle SETFSUID =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("setfsuid"),
              FunctionDescriptor.of(JAVA_INT, JAVA_INT));

  private AsUser() {}

  /** The user's actions. */
  public interface Doing {
    void run() throws Exception;
  }

  /** Skips the test when this process does not run as root. */
  public static void run(Doing doing) throws Exception {
    assumeThat(Users.mayDoAll()).isTrue();
    become(USER);
    try {
      doing.run();
    } finally {
      become(0);
    }
  }

  /**
   * The kernel answers with the previous user, so the second call tells whether the first one
   * worked.
   */
  private static void become(int user) throws Exception {
    try {
      var _ = (int) SETFSUID.invokeExact(user);
      assertThat((int) SETFSUID.invokeExact(user)).isEqualTo(user);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
