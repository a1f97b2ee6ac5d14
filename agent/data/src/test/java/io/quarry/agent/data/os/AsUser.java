package io.quarry.agent.data.os;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/** What a thread of root's does with files as another user, whom modes stop. */
public final class AsUser {
  /** One that owns nothing. */
  public static final int USER = 12_345;

  private static final MethodHandle SETFSUID =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("setfsuid"),
              FunctionDescriptor.of(JAVA_INT, JAVA_INT));

  private AsUser() {}

  /** What the user does. */
  public interface Doing {
    void run() throws Exception;
  }

  /** Skips the test when this process is not root's. */
  public static void run(Doing doing) throws Exception {
    assumeThat(Users.mayDoAll()).isTrue();
    become(USER);
    try {
      doing.run();
    } finally {
      become(0);
    }
  }

  /** The kernel answers with who it was before, so the second call tells what the first did. */
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
