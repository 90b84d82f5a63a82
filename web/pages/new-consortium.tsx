/** Founding a consortium. */
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { api } from '../api/api';
import { Button, Field, Trouble } from '../parts/controls';
import { Hero, useTitle } from '../parts/title';
import { useAction } from '../parts/use-action';
import { meQuery, queries } from '../session';

export function NewConsortiumPage() {
  useTitle('New consortium');
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const navigate = useNavigate();
  const { isBusy, problem, run } = useAction('The consortium was not made.');
  return (
    <>
      <Hero crumb={<Link to="/">Consortia</Link>} title="New consortium" />
      <section className="card">
        <Form
          className="form"
          onSubmit={(event) => {
            event.preventDefault();
            run(async () => {
              const { id } = await api.createConsortium({
                body: {
                  name: name.trim(),
                  ...(description.trim() !== '' && { description: description.trim() }),
                },
              });
              // Who founds it leads it.
              await queries.invalidateQueries({ queryKey: meQuery.queryKey });
              await navigate({ to: '/consortia/$consortiumId', params: { consortiumId: id } });
            });
          }}
        >
          <Field label="Name" isRequired autoFocus maxLength={120} value={name} onChange={setName} />
          <Field
            label="What it is about (optional)"
            lines={4}
            maxLength={4_000}
            value={description}
            onChange={setDescription}
            hint="Everybody who is in it reads this; so do the sites that are invited."
          />
          <Trouble>{problem}</Trouble>
          <Button type="submit" look="primary" isPending={isBusy}>
            Found it
          </Button>
        </Form>
      </section>
    </>
  );
}
