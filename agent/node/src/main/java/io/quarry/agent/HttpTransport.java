package io.quarry.agent;

import io.quarry.agent.repository.SubmitTransport;
import io.quarry.common.api.ErrorBody;
import io.quarry.common.api.Json;
import io.quarry.common.client.JsonHttp;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;

/** Forwards requests over the agents' own HTTP servers. */
final class HttpTransport implements SubmitTransport {
  private static final String PATH = "/internal/v1/submit";
  private static final int OK = 200;

  private final JsonHttp http;

  HttpTransport(JsonHttp http) {
    this.http = http;
  }

  @Override
  public byte[] submit(String endpoint, byte[] body, Duration timeout) throws IOException {
    return switch (http.post(URI.create(endpoint), PATH, body, timeout)) {
      case JsonHttp.Outcome.NotSent not -> throw new NotSentException(not.why());
      case JsonHttp.Outcome.Unknown unknown -> throw new IOException(unknown.why());
      case JsonHttp.Outcome.Answered answer -> {
        if (answer.status() == OK) {
          yield answer.body();
        }
        throw Json.MAPPER.readValue(answer.body(), ErrorBody.class).toException();
      }
    };
  }
}
