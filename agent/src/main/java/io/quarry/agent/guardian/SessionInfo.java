package io.quarry.agent.guardian;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.time.Duration;

/**
 * What the guardian needs to end an agent's ZooKeeper session and to tell the cluster why.
 *
 * @param connectString as the agent uses it, a chroot included
 * @param sessionPassword lets anybody act as the session: it stays in memory
 * @param hostId for the log
 * @param incarnation for the log
 * @param proofPath the znode to create once nothing of the agent lives, relative to the chroot
 * @param proof its content
 */
// Copied on the way in and out; nobody compares sessions.
@SuppressWarnings("ArrayRecordComponent")
public record SessionInfo(
    String connectString,
    long sessionId,
    byte[] sessionPassword,
    Duration sessionTimeout,
    String hostId,
    String incarnation,
    String proofPath,
    byte[] proof) {
  /** One write to a pipe of at most this many bytes arrives whole or not at all. */
  static final int MESSAGE_BYTES_MAX = 4096;

  public SessionInfo {
    if (!proofPath.startsWith("/") || proofPath.endsWith("/")) {
      throw new IllegalArgumentException("proofPath must be an absolute path: " + proofPath);
    }
    if (!sessionTimeout.isPositive()) {
      throw new IllegalArgumentException("sessionTimeout must be positive: " + sessionTimeout);
    }
    sessionPassword = sessionPassword.clone();
    proof = proof.clone();
  }

  @Override
  public byte[] sessionPassword() {
    return sessionPassword.clone();
  }

  @Override
  public byte[] proof() {
    return proof.clone();
  }

  /** Leaves the password out. */
  @Override
  public String toString() {
    return "session 0x%x of host %s, incarnation %s".formatted(sessionId, hostId, incarnation);
  }

  /** The message on the pipe: its length, then its fields. */
  byte[] toMessage() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeUTF(connectString);
      out.writeLong(sessionId);
      writeBytes(out, sessionPassword);
      out.writeLong(sessionTimeout.toMillis());
      out.writeUTF(hostId);
      out.writeUTF(incarnation);
      out.writeUTF(proofPath);
      writeBytes(out, proof);
    }
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(message)) {
      writeBytes(out, bytes.toByteArray());
    }
    if (message.size() > MESSAGE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "A session message of %d bytes; at most %d arrive whole"
              .formatted(message.size(), MESSAGE_BYTES_MAX));
    }
    return message.toByteArray();
  }

  static SessionInfo readMessage(DataInputStream in) throws IOException {
    try (DataInputStream fields = new DataInputStream(new ByteArrayInputStream(readBytes(in)))) {
      return new SessionInfo(
          fields.readUTF(),
          fields.readLong(),
          readBytes(fields),
          Duration.ofMillis(fields.readLong()),
          fields.readUTF(),
          fields.readUTF(),
          fields.readUTF(),
          readBytes(fields));
    }
  }

  private static void writeBytes(DataOutputStream out, byte[] bytes) throws IOException {
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static byte[] readBytes(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > MESSAGE_BYTES_MAX) {
      throw new IOException("Not a session message: a field of " + length + " bytes");
    }
    byte[] bytes = new byte[length];
    in.readFully(bytes);
    return bytes;
  }
}
