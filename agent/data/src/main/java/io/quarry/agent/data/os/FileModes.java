package io.quarry.agent.data.os;

/**
 * Who may do what with the files that the agent makes. Each file of a repository is given its mode
 * explicitly, since the process's umask is the administrator's shell's, a library's or a default
 * ACL's business. The process has a umask of its own all the same, for what others make in its
 * name: QEMU's tools, the log files, Java's own.
 */
public final class FileModes {
  /** QEMU's group may look for volumes. */
  public static final int DIRECTORY = 0750;

  /** Records, checkpoints, claims, the head and the ballast. */
  public static final int METADATA = 0640;

  /** A reader could sign fixes, or speak for this host. */
  public static final int SECRET = 0600;

  /** A volume that is being made or that a disk writes to; QEMU has it by its group. */
  public static final int VOLUME = 0660;

  /** A volume that nothing may write to: the permission stops all but root. */
  public static final int FROZEN_VOLUME = 0440;

  private static final int OTHERS_AND_WRITING_GROUP = 0027;

  private FileModes() {}

  /** Nothing that this process or its children make is for other users of the host. */
  public static void maskProcess() {
    var _ = Libc.umask(OTHERS_AND_WRITING_GROUP);
  }
}
