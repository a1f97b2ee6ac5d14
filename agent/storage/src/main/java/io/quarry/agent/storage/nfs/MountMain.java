package io.quarry.agent.storage.nfs;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.Mounting;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;

/**
 * The main program of the child that mounts and unmounts. Each call may wait for a file server, and
 * only a process of its own can be killed then. The program makes the system call itself: mount(8)
 * refuses users other than root, also with the capability CAP_SYS_ADMIN.
 *
 * <p>The last line on standard output is {@link #DONE}, or {@link #FAILED} with the error number,
 * or {@link #UNKNOWN_HOST}, or {@link #SILENT} after the deadline. The program watches the
 * deadline, since a JVM takes seconds to start on a busy machine. The end of the process ends the
 * call: waits for an NFS server can be killed.
 */
final class MountMain {
  static final String MOUNT = "mount";
  static final String UNMOUNT = "unmount";
  static final String DONE = "done";
  static final String FAILED = "errno ";
  static final String UNKNOWN_HOST = "unknown host";
  static final String SILENT = "no answer";

  /** The type that also mounts version 4; the kernel then calls the filesystem nfs4. */
  private static final String TYPE = "nfs";

  private MountMain() {}

  /**
   * Does one of these:
   *
   * <ul>
   *   <li>{@code <milliseconds> mount <server> <source> <mount point> <options> <client id>}
   *   <li>{@code <milliseconds> unmount <mount point> <whether lazily>}
   * </ul>
   */
  public static void main(String[] arguments) throws InterruptedException {
    Duration deadline = Duration.ofMillis(Long.parseLong(arguments[0]));
    AtomicReference<String> answer = new AtomicReference<>(SILENT);
    Thread call = Thread.ofPlatform().daemon().start(() -> answer.set(answer(arguments)));
    var _ = call.join(deadline);
    System.out.println(answer.get());
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }

  private static String answer(String[] arguments) {
    try {
      switch (arguments[1]) {
        case MOUNT ->
            mount(arguments[2], arguments[3], Path.of(arguments[4]), arguments[5], arguments[6]);
        case UNMOUNT -> Mounting.unmount(Path.of(arguments[2]), Boolean.parseBoolean(arguments[3]));
        default -> throw new IllegalArgumentException("unknown command " + arguments[1]);
      }
      return DONE;
    } catch (FileFailure e) {
      return FAILED + e.errno();
    } catch (UnknownHostException e) {
      return UNKNOWN_HOST;
    }
  }

  private static void mount(
      String server, String source, Path point, String options, String clientId)
      throws FileFailure, UnknownHostException {
    InetAddress address = InetAddress.getByName(server);
    NfsClientId.ensure(clientId, () -> loadClient(point));
    Mounting.mount(
        source, point, TYPE, forFamily(options, address) + ",addr=" + address.getHostAddress());
  }

  /** The kernel loads the client with the first mount, and refuses a mount without an address. */
  private static void loadClient(Path point) {
    try {
      Mounting.mount("none", point, TYPE, "");
    } catch (FileFailure expected) {
      return;
    }
    throw new IllegalStateException("the kernel has mounted nothing");
  }

  /** The kernel has names of their own for protocols over IPv6. */
  private static String forFamily(String options, InetAddress address) {
    return Arrays.stream(options.split(","))
        .map(option ->
            address instanceof Inet6Address && option.startsWith(NfsExport.PROTOCOL + "=")
                ? option + "6"
                : option)
        .collect(Collectors.joining(","));
  }
}
