package io.quarry.agent.guardian;

import io.quarry.coordinator.cluster.ProofOfDeath;
import io.quarry.coordinator.cluster.SessionInfo;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The agent's message to its guardian: the session to end, and the proof to publish before.
 *
 * @param incarnation for the log
 */
record GuardedSession(SessionInfo session, ProofOfDeath proof, String incarnation) {
  /** One write to a pipe of at most this many bytes arrives whole or not at all. */
  static final int MESSAGE_BYTES_MAX = 4096;

  /** Leaves the password out. */
  @Override
  public String toString() {
    return "session 0x%x of incarnation %s".formatted(session.sessionId(), incarnation);
  }

  /** The message on the pipe: its length, then its fields. */
  byte[] toMessage() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeUTF(session.connectString());
      out.writeLong(session.sessionId());
      writeBytes(out, session.password());
      out.writeLong(session.sessionTimeout().toMillis());
      out.writeInt(proof.parents().size());
      for (String parent : proof.parents()) {
        out.writeUTF(parent);
      }
      out.writeUTF(proof.path());
      writeBytes(out, proof.content());
      out.writeUTF(incarnation);
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

  static GuardedSession readMessage(DataInputStream in) throws IOException {
    try (DataInputStream fields = new DataInputStream(new ByteArrayInputStream(readBytes(in)))) {
      SessionInfo session =
          new SessionInfo(
              fields.readUTF(),
              fields.readLong(),
              readBytes(fields),
              Duration.ofMillis(fields.readLong()));
      List<String> parents = new ArrayList<>();
      for (int left = fields.readInt(); left > 0; left--) {
        parents.add(fields.readUTF());
      }
      ProofOfDeath proof = new ProofOfDeath(parents, fields.readUTF(), readBytes(fields));
      return new GuardedSession(session, proof, fields.readUTF());
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
