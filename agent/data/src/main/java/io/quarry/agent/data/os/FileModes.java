package io.quarry.agent.data.os;

/**
 * The modes of the files that the agent makes. Each file of a repository gets its mode explicitly,
 * since an administrator's shell, a library or a default ACL may change the umask. The process also
 * sets its own umask, for files that QEMU's tools, the logger and Java itself make.
 */
public final class FileModes {
  /** The group of QEMU may look up volumes. */
  public static final int DIRECTORY = 0750;

  /** Records, checkpoints, claims, the head and the ballast. */
  public static final int METADATA = 0640;

  /** A process that can read the file could sign fixes, or act as this host. */
  public static final int SECRET = 0600;

  /** A volume that is being made or that a disk writes to; QEMU has access by its group. */
  public static final int VOLUME = 0660;

  /** A volume that no process may write to: the mode stops all users but root. */
  public static final int FROZEN_VOLUME = 0440;

  private static final int OTHERS_AND_WRITING_GROUP = 0027;

  private FileModes() {}

  /** Keeps files that this process or its children make from other users of the host. */
  public static void maskProcess() {
    var _ = Libc.umask(OTHERS_AND_WRITING_GROUP);
  }
}
