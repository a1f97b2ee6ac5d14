package io.quarry.agent.server;

import io.quarry.common.api.ErrorBody;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.StorageException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The answer to a request.
 *
 * @param headers others than those that describe the body
 * @param stream the body instead, sent piece by piece; the sender closes the stream
 * @param refusal the failure of the call; null after a success
 */
@SuppressWarnings("ArrayRecordComponent") // handed on once, never compared
record Answer(
    int status,
    String contentType,
    byte[] body,
    List<Header> headers,
    @Nullable ImageData stream,
    @Nullable ErrorCode refusal) {
  static final String JSON = "application/json";
  static final String BYTES = "application/octet-stream";
  private static final Logger LOG = LoggerFactory.getLogger(Answer.class);

  record Header(String name, String value) {}

  static Answer json(int status, Object value) {
    return new Answer(status, JSON, JsonText.write(value), List.of(), null, null);
  }

  static Answer of(String contentType, byte[] body) {
    return new Answer(200, contentType, body, List.of(), null, null);
  }

  static Answer empty(int status) {
    return new Answer(status, JSON, new byte[0], List.of(), null, null);
  }

  /** Sends an image's bytes, as RFC 9110 defines answers to range requests. */
  static Answer stream(ImageData data) {
    Answer answer =
        new Answer(data.range() ? 206 : 200, BYTES, new byte[0], List.of(), data, null)
            .with("Accept-Ranges", "bytes")
            .with("ETag", data.etag());
    if (data.range()) {
      long last = data.offset() + data.length() - 1;
      answer =
          answer.with("Content-Range", "bytes " + data.offset() + "-" + last + "/" + data.size());
    }
    return data.sha256() == null
        ? answer
        : answer.with("Content-Digest", "sha-256=:" + data.sha256() + ":");
  }

  Answer with(String name, String value) {
    List<Header> more = new ArrayList<>(headers);
    more.add(new Header(name, value));
    return new Answer(status, contentType, body, List.copyOf(more), stream, refusal);
  }

  static Answer error(ErrorCode code, String message, String subject, String remedy) {
    return error(new ErrorBody(code, message, subject, remedy));
  }

  private static Answer error(ErrorBody body) {
    int status = body.code().httpStatus();
    return new Answer(status, JSON, JsonText.write(body), List.of(), null, body.code());
  }

  /** Only the log gets a stack trace; the caller gets an id by which to find the trace. */
  static Answer error(Throwable failure, String what) {
    if (failure instanceof StorageException refusal) {
      return error(refusal.body());
    }
    String id = UUID.randomUUID().toString();
    LOG.error("{} failed, error id {}", what, id, failure);
    return error(
        ErrorCode.INTERNAL,
        "The agent failed in a way it should not; error id " + id + ".",
        what,
        "Look for the error id in the agent's log and report it.");
  }
}
