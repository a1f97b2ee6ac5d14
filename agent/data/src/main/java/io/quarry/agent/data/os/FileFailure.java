package io.quarry.agent.data.os;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A failed call on a file, by the error number that the kernel gave. Callers tell failures apart by
 * {@link #kind}, never by their text.
 */
public class FileFailure extends IOException {
  private static final long serialVersionUID = 1L;

  /** The kinds of failure that callers distinguish. */
  public enum Kind {
    /** The name is free. Another host may also have removed the open file. */
    NOT_FOUND,
    EXISTS,
    /** The filesystem or a quota is full, of bytes or of files. */
    NO_SPACE,
    /** The filesystem has no files of that size. */
    TOO_LARGE,
    FORBIDDEN,
    READ_ONLY,
    TOO_MANY_OPEN,
    INPUT_OUTPUT,
    /**
     * The name does not stand for a regular file (or directory), but for a link, a FIFO or a
     * device.
     */
    REFUSED,
    NOT_EMPTY,
    OTHER
  }

  /** No file has that name. */
  public static final class NotFound extends FileFailure {
    private static final long serialVersionUID = 1L;

    NotFound(int errno, String path, String operation) {
      super(Kind.NOT_FOUND, errno, path, operation, Errno.textOf(errno));
    }
  }

  /** The name is taken. */
  public static final class Exists extends FileFailure {
    private static final long serialVersionUID = 1L;

    Exists(int errno, String path, String operation) {
      super(Kind.EXISTS, errno, path, operation, Errno.textOf(errno));
    }
  }

  /** This process may not use that one file, but can use its directory: the storage is fine. */
  public static final class Forbidden extends FileFailure {
    private static final long serialVersionUID = 1L;

    private final boolean immutable;

    Forbidden(FileFailure failure, FileStatus status) {
      super(
          Kind.FORBIDDEN,
          failure.errno(),
          failure.path(),
          failure.operation(),
          Errno.textOf(failure.errno())
              + ": the file belongs to user "
              + status.uid()
              + " and group "
              + status.gid()
              + ", mode 0"
              + Integer.toOctalString(status.mode())
              + (status.immutable() ? ", is immutable" : "")
              + ", and the agent runs as user "
              + Users.effective());
      this.immutable = status.immutable();
    }

    /** The original failure, if this process may not use the file. */
    public static @Nullable Forbidden in(@Nullable Throwable failure) {
      for (Throwable each = failure; each != null; each = each.getCause()) {
        if (each instanceof Forbidden forbidden) {
          return forbidden;
        }
      }
      return null;
    }

    /** The remedy for the operator. */
    public String remedy() {
      return immutable
          ? "give the agents of all hosts CAP_LINUX_IMMUTABLE, or none and run chattr -i " + path()
          : "give the file back to the agent's user: chown " + Users.effective() + " " + path();
    }
  }

  private final Kind kind;
  private final int errno;
  private final String path;
  private final String operation;

  private FileFailure(Kind kind, int errno, String path, String operation, String text) {
    super(path + ": " + operation + ": " + text);
    this.kind = kind;
    this.errno = errno;
    this.path = path;
    this.operation = operation;
  }

  static FileFailure of(int errno, Path path, String operation) {
    return switch (Errno.kindOf(errno)) {
      case NOT_FOUND -> new NotFound(errno, path.toString(), operation);
      case EXISTS -> new Exists(errno, path.toString(), operation);
      case Kind kind ->
          new FileFailure(kind, errno, path.toString(), operation, Errno.textOf(errno));
    };
  }

  /** The kernel was not asked, or its answer was not what the caller requires. */
  public static FileFailure refused(Path path, String operation, String why) {
    return new FileFailure(Kind.REFUSED, 0, path.toString(), operation, why);
  }

  /** As the kernel would say it: for names that the kernel does not know. */
  public static FileFailure notFound(Path path, String operation) {
    return of(Errno.ENOENT.number(), path, operation);
  }

  public static FileFailure exists(Path path, String operation) {
    return of(Errno.EEXIST.number(), path, operation);
  }

  public static FileFailure noSpace(Path path, String operation) {
    return of(Errno.ENOSPC.number(), path, operation);
  }

  /** The file is longer than the limit for its content. */
  static FileFailure tooLong(Path path, long bytes, long bytesMax) {
    String why = "it has " + bytes + " bytes, more than the " + bytesMax + " that are read";
    return new FileFailure(Kind.REFUSED, 0, path.toString(), "read", why);
  }

  /** The kind of the original failure, if that was a failure on a file. */
  public static @Nullable Kind kindOf(@Nullable Throwable failure) {
    for (Throwable each = failure; each != null; each = each.getCause()) {
      if (each instanceof FileFailure file) {
        return file.kind();
      }
    }
    return null;
  }

  /** The remedy for the operator of a storage that failed like that. */
  public static String remedyOf(@Nullable Throwable failure) {
    return switch (kindOf(failure)) {
      case FORBIDDEN -> "let the agent's user read and write the repository's directory";
      case READ_ONLY -> "mount the storage so that this host may write to it";
      case TOO_MANY_OPEN -> "raise the limit of open files for the agent (LimitNOFILE)";
      case TOO_LARGE ->
          "use a filesystem that has files of this size, or raise the agent's limit (LimitFSIZE)";
      case NO_SPACE -> "free space on the storage, or raise the quota of the agent's user";
      case INPUT_OUTPUT -> "look for the storage's error in this host's kernel log";
      case REFUSED -> "move what is no regular file out of the repository, and check it again";
      case null, default ->
          "see whether the storage is reachable from this host, or ask another agent";
    };
  }

  /** The same failure, with the file's owner and mode if they are the reason. */
  FileFailure about(FileStatus status) {
    return kind == Kind.FORBIDDEN ? new Forbidden(this, status) : this;
  }

  public Kind kind() {
    return kind;
  }

  /** Whether no file has the name, or a file that no agent has made. */
  public boolean isNoFile() {
    return kind == Kind.NOT_FOUND || kind == Kind.REFUSED;
  }

  /** 0 when the kernel reported no error. */
  public int errno() {
    return errno;
  }

  /** Whether a network filesystem's client knew the file a moment ago, but its server does not. */
  public boolean isStale() {
    return errno == Errno.ESTALE.number();
  }

  public String path() {
    return path;
  }

  public String operation() {
    return operation;
  }
}
