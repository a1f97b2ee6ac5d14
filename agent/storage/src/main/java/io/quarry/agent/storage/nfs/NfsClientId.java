package io.quarry.agent.storage.nfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The identity of this host at NFS servers. Without an identifier the kernel takes the host's name.
 * A server takes two hosts of one name for one client, and drops the locks of the first one. Clones
 * and containers often share a name.
 */
final class NfsClientId {
  /** One file for each network namespace. */
  private static final Path KERNEL = Path.of("/sys/fs/nfs/net/nfs_client/identifier");

  /** The kernel's text for an identifier that is not set. */
  private static final String UNSET = "(null)";

  private NfsClientId() {}

  /**
   * Sets the identifier, if there is none.
   *
   * @param loadClient makes the kernel load its NFS client, which shows the file
   */
  static void ensure(String id, Runnable loadClient) {
    if (!Files.exists(KERNEL)) {
      loadClient.run();
    }
    if (Files.exists(KERNEL)) {
      ensure(KERNEL, id);
    }
  }

  static void ensure(Path file, String id) {
    try {
      String known = Files.readString(file).strip();
      if (known.isEmpty() || known.equals(UNSET)) {
        Files.writeString(file, id);
      }
    } catch (IOException e) {
      System.err.println(
          file
              + " cannot be set: "
              + e
              + "; write a text into it that no other host has, before the first NFS mount");
    }
  }
}
