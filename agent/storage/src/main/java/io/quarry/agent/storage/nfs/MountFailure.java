package io.quarry.agent.storage.nfs;

import io.quarry.agent.data.os.Errno;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;

/** Why an export was not mounted, for the operator. */
final class MountFailure {
  private MountFailure() {}

  /**
   * By the error number of the mount call.
   *
   * @param mayMount whether this process has the capability that the call needs
   */
  static StorageException of(int errno, NfsExport export, boolean mayMount) {
    String server = "the file server " + export.server();
    return switch (Errno.of(errno)) {
      case ENODEV ->
          unusable(
              export,
              "the kernel of this host has no NFS client",
              "load the kernel module nfsv4 (modprobe nfsv4), or install the kernel that has it");
      case EPERM ->
          mayMount
              ? unusable(
                  export,
                  server + " does not take the security flavour of this host",
                  "change sec in the parameter options, or sec= of the export")
              : unusable(
                  export,
                  "this agent may not mount",
                  "give the agent the capability CAP_SYS_ADMIN, or mount the export yourself and"
                      + " connect its path");
      case EACCES ->
          unusable(
              export,
              server + " does not export " + export.export() + " to this host",
              "add this host to the export's clients in /etc/exports of the server, and run"
                  + " exportfs -ra there");
      case ENOENT, ENOTDIR ->
          unusable(
              export,
              server + " has no export " + export.export(),
              "give export as the server names it; for NFS 4 the path begins at the server's root"
                  + " export (fsid=0), if it has one");
      case EPROTONOSUPPORT ->
          unusable(
              export,
              server
                  + " speaks none of the versions "
                  + String.join(", ", NfsMountOptions.versions(export)),
              "switch on NFS 4.1 or 4.2 at the server: older versions keep locks of dead hosts, or"
                  + " have no sessions");
      case EINVAL ->
          unusable(
              export,
              "the kernel refuses the server's address or one of the options " + export.options(),
              "see this host's kernel log, and change the parameter server or options");
      case ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH, EHOSTDOWN, ENETUNREACH ->
          unreachable(export, server + " cannot be reached: " + Errno.textOf(errno), reach(export));
      case null, default ->
          unusable(
              export,
              "the mount failed: " + Errno.textOf(errno),
              "see this host's kernel log, and try the mount by hand");
    };
  }

  static StorageException unknownHost(NfsExport export) {
    return unreachable(
        export,
        "the name of the file server " + export.server() + " has no address on this host",
        "correct the parameter server, or this host's name service");
  }

  static StorageException silent(NfsExport export, long seconds) {
    return unreachable(
        export,
        "the file server " + export.server() + " did not answer within " + seconds + " s",
        reach(export));
  }

  private static String reach(NfsExport export) {
    return "see that the file server runs, and that this host reaches its TCP port "
        + export.options().getOrDefault(NfsExport.PORT, "2049");
  }

  private static StorageException unusable(NfsExport export, String message, String remedy) {
    return failure(ErrorCode.REPOSITORY_UNUSABLE, export, message, remedy);
  }

  private static StorageException unreachable(NfsExport export, String message, String remedy) {
    return failure(ErrorCode.REPOSITORY_UNRESPONSIVE, export, message, remedy);
  }

  private static StorageException failure(
      ErrorCode code, NfsExport export, String message, String remedy) {
    return new StorageException(
        code, export.source() + " is not mounted: " + message, export.source(), remedy);
  }
}
